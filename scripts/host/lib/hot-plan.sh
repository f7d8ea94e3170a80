# shellcheck shell=bash disable=SC2034,SC2153 # the entry scripts and the library share globals
# Which hot modules a hot update is about: those that are not what their service last worked with, and those that were
# sent. Reads only.

SENT=           # a folder of files that are to go live, at the paths that they have in a bundle
HOT_SERVICES=   # a name a line: those whose modules are looked at
HOT_ROWS_FOUND= # service, payload folder, path below it, edited|added|deleted, here|sent: what is to go live

# hot_rows: those lines; a loop over nothing runs not at all.
hot_rows() {
    printf '%s' "${HOT_ROWS_FOUND:+$HOT_ROWS_FOUND$'\n'}"
}

# hot_path WORD: the path below a payload folder that is meant: as the bundle has it, or any path that leads to the file; one
# that was deleted has an absolute path only.
hot_path() {
    local path=${1#./} real root folder
    real=$(readlink -m -- "$1")
    root=$(readlink -m -- "$ROOT")
    while read -r folder _; do
        if [[ $real == "$root/$folder/"* && (-e $real || $1 == /*) ]]; then
            path=${real#"$root/$folder/"}
        fi
    done < <(hot_folders "$FACTS")
    printf '%s' "$path"
}

# hot_owners PATH: `service owner mode` of each mount that has, or may get, a hot file of that path.
hot_owners() {
    records "$FACTS" mount | awk -F '\t' -v path="$1" '$2 == "release" && index("," $8 ",", ",hot,") {
        split($4, part, "/"); place = substr($4, length(part[1] "/" part[2]) + 2)
        if (path == place || (!index("," $8 ",", ",single,") && index(path, place "/") == 1)) print $1, $6, $7
    }'
}

# known_hot: the path of every hot file here, live or proved.
known_hot() {
    local folder place
    while read -r folder _; do
        for place in "$ROOT/$folder" "$(proved_place "$folder")"; do
            (cd -- "$place" && hot_files "$FACTS" "$folder" | tr '\0' '\n')
        done
    done < <(hot_folders "$FACTS") | sort -u
}

# nearest PATH: of the paths on stdin, a line each, the one whose last part takes the fewest changes of a letter to become
# that of PATH (Levenshtein, 1965).
nearest() {
    awk -v wanted="$1" '
        function least(a, b, c) { return a < b ? (a < c ? a : c) : (b < c ? b : c) }
        function changes(a, b,    i, j, row, above, last) {
            for (j = 0; j <= length(b); j++) row[j] = j
            for (i = 1; i <= length(a); i++) {
                last = row[0]; row[0] = i
                for (j = 1; j <= length(b); j++) {
                    above = row[j]
                    row[j] = least(above + 1, row[j - 1] + 1, last + (substr(a, i, 1) != substr(b, j, 1)))
                    last = above
                }
            }
            return row[length(b)]
        }
        BEGIN { sub(/.*\//, "", wanted) }
        { name = $0; sub(/.*\//, "", name); count = changes(wanted, name) }
        NR == 1 || count < fewest { fewest = count; found = $0 }
        END { print found }'
}

# choose_hot WORD...: the services whose modules these are, sent or named; all of them where nothing is. A name that no hot
# module has ends the script.
choose_hot() {
    local word path known
    known=$(known_hot)
    HOT_SERVICES=$(hot_folders "$FACTS" | cut -d ' ' -f 2)
    if (($# == 0)) && [[ -z $SENT ]]; then
        return 0
    fi
    HOT_SERVICES=
    for word in "$@"; do
        path=$(hot_path "$word")
        grep -qxF -- "$path" <<<"$known" || usage_error hot_unknown "$word" "$(nearest "$path" <<<"$known")"
        HOT_SERVICES+=$(hot_owners "$path" | cut -d ' ' -f 1)$'\n'
    done
    while IFS= read -r path; do
        [[ -n $(hot_owners "$path") ]] || usage_error hot_unknown "$path" "$(nearest "$path" <<<"$known")"
        HOT_SERVICES+=$(hot_owners "$path" | cut -d ' ' -f 1)$'\n'
    done < <([[ -z $SENT ]] || find "$SENT" -type f -printf '%P\n')
}

# plan_hot: sets HOT_ROWS_FOUND. With a file of a service goes everything that was edited for it: it starts on all of that.
plan_hot() {
    local folder service
    HOT_ROWS_FOUND=$(
        while read -r folder service; do
            if grep -qxF -- "$service" <<<"$HOT_SERVICES"; then
                hot_rows_of "$folder" "$service"
            fi
        done < <(hot_folders "$FACTS")
    )
}

# due_services: those with something to go live, and those that a killed run may have left on other files than are live.
due_services() {
    {
        hot_rows | cut -f 1
        state_get hot | tr ' ' '\n'
    } | sort -u | xargs
}

# require_proved: a kit before this one kept no copy of what services work with, and without it nothing could be taken back.
require_proved() {
    local folder
    while read -r folder _; do
        if [[ ! -d $(proved_place "$folder") ]]; then
            fail hot_no_proof "$(proved_place "$folder")"
            exit 5
        fi
    done < <(hot_folders "$FACTS")
}

# hot_rows_of FOLDER SERVICE
hot_rows_of() {
    local proved live sent path change
    proved=$(hot_sums "$FACTS" "$1" "$(proved_place "$1")")
    live=$(hot_sums "$FACTS" "$1" "$ROOT/$1")
    sent=$([[ -z $SENT ]] || hot_sums "$FACTS" "$1" "$SENT")
    while IFS=$'\t' read -r path change; do
        if [[ -n $SENT && -f $SENT/$path ]]; then
            printf '%s\t%s\t%s\t%s\tsent\n' "$2" "$1" "$path" "$change"
        else
            printf '%s\t%s\t%s\t%s\there\n' "$2" "$1" "$path" "$change"
        fi
    done < <({
        compare_sums <(lines "$proved") <(lines "$live") <(lines "$sent")
        compare_sums <(lines "$live") <(lines "$live") <(lines "$sent")
    } | sort -u -t $'\t' -k 1,1)
}

# lines TEXT: ended as lines are; none of no text.
lines() {
    printf '%s' "${1:+$1$'\n'}"
}

# list_hot: `service path live proved` of each hot file, the sums `-` where it is absent; and `due <service>` of each that a
# killed run may have left on other files than are live. For programs.
list_hot() {
    local folder service
    state_get hot | tr ' ' '\n' | sed -n 's/^./due\t&/p'
    while read -r folder service; do
        awk -v OFS='\t' -v service="$service" '
            { seen[substr($0, 67)] = 1; sum[list, substr($0, 67)] = substr($0, 1, 64) }
            END { for (path in seen) print service, path, said("live", path), said("proved", path) }
            function said(list, path) { return ((list, path) in sum) ? sum[list, path] : "-" }' \
            list=live <(hot_sums "$FACTS" "$folder" "$ROOT/$folder") \
            list=proved <(hot_sums "$FACTS" "$folder" "$(proved_place "$folder")") | sort
    done < <(hot_folders "$FACTS")
}
