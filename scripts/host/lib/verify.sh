# shellcheck shell=bash
# Verify an unpacked bundle. The same findings as `invoke verify` (offline/bundle/verify.py), in the same lines; one set
# of mutated bundles runs through both. Paths carry a leading `./` here, so that no name is an option or a subscript.

KNOWN_FORMAT=1
BLOBS=./images/blobs/sha256
TWO_WORKERS_FROM=$((64 * 1000 * 1000)) # bytes; below that, starting a second process gains nothing

# By ./path. Declared here and set apart, as bash 4.2 loses what `declare -gA NAME=(…)` sets inside a function.
declare -gA KIND DIGEST SIZE SUM
KIND=()   # file, folder or other: what is there
DIGEST=() # hex: what SHA256SUMS lists, safe names only
SIZE=()   # bytes, of the files that are listed and there
SUM=()    # hex: what each of these hashes to
BAD=()
PROVED=0 # bytes, of those that hash to what is listed
WORKERS=()

# verify_bundle FOLDER: prints one `ok` line, or what is bad and exits with 3. Changes to that folder.
verify_bundle() {
    local sums=./SHA256SUMS
    cd -- "$1" || exit 1
    look_around .
    if [[ ${KIND[$sums]:-} != file ]]; then
        bad missing "$sums"
    elif ! sums_are_well_formed; then
        say verify_sums_malformed
        bad malformed "$sums"
    else
        read_sums
        compare_names
        hash_files
        find_incomplete
    fi
    report
}

# bad REASON ./PATH
bad() {
    BAD+=("bad"$'\t'"$1"$'\t'"$(shown "${2#./}")")
}

# look_around FOLDER: fills KIND with everything below it, following no link.
look_around() {
    local path
    shopt -s dotglob nullglob
    for path in "$1"/*; do
        if [[ -L $path ]]; then
            KIND[$path]=other
        elif [[ -d $path ]]; then
            KIND[$path]=folder
            look_around "$path"
        elif [[ -f $path ]]; then
            KIND[$path]='file'
        else
            KIND[$path]=other
        fi
    done
}

# name_is_safe PATH: UTF-8, relative, no empty, `.` or `..` part, no control character, no backslash; not `-` alone,
# which `sha256sum -c` takes for standard input.
name_is_safe() {
    [[ $1 != - && $1 != *[[:cntrl:]\\]* && /$1/ != *//* && /$1/ != */./* && /$1/ != */../* ]] && is_utf8 "$1"
}

# is_utf8 TEXT: by its bytes (Unicode 15, table 3-7); in the C locale a bracket holds bytes.
is_utf8() {
    local tail=$'[\x80-\xbf]' two three four
    [[ $1 == *[$'\x80'-$'\xff']* ]] || return 0
    two=$'[\xc2-\xdf]'$tail
    three=$'\xe0[\xa0-\xbf]'$tail$'|[\xe1-\xec\xee\xef]'$tail$tail$'|\xed[\x80-\x9f]'$tail
    four=$'\xf0[\x90-\xbf]'$tail$tail$'|[\xf1-\xf3]'$tail$tail$tail$'|\xf4[\x80-\x8f]'$tail$tail
    [[ $1 =~ ^([$'\x01'-$'\x7f']|$two|$three|$four)*$ ]]
}

# shown PATH: on one line; control characters and `\` as `\xHH`, and all bytes above ASCII too if it is not UTF-8.
shown() {
    local rest=$1 strange='[[:cntrl:]\\]' letter code
    is_utf8 "$1" || strange=$'[[:cntrl:]\x80-\xff\\\\]'
    while [[ -n $rest ]]; do
        letter=${rest:0:1}
        # shellcheck disable=SC2053 # a pattern on purpose
        if [[ $letter == $strange ]]; then
            printf -v code '%d' "'$letter"
            printf '\\x%02x' $((code & 0xff))
        else
            printf '%s' "$letter"
        fi
        rest=${rest:1}
    done
}

# sums_are_well_formed: every line is `<64 hex>  <path>`, the last one too ends with a line feed.
sums_are_well_formed() {
    [[ $(tail -c 1 SHA256SUMS | od -An -tx1) == *0a ]] &&
        ! grep -aqvE '^[0-9a-f]{64}  [^[:cntrl:]]+$' SHA256SUMS
}

# read_sums: fills DIGEST; of a path listed twice the first line counts.
read_sums() {
    local line path
    while IFS= read -r line; do
        path=./${line:66}
        if ! name_is_safe "${path#./}"; then
            bad unsafe "$path"
        elif [[ -n ${DIGEST[$path]:-} ]]; then
            bad duplicate "$path"
        else
            DIGEST[$path]=${line:0:64}
        fi
    done <SHA256SUMS
}

# compare_names: what is listed and not there, there and not listed, not a file, or misnamed. A blob's name is its
# digest: comparing it with the listed one is enough, as the file is held against that.
compare_names() {
    local path
    for path in "${!DIGEST[@]}"; do
        case ${KIND[$path]:-} in
            file | other) ;;
            *) bad missing "$path" ;;
        esac
        if [[ $path == "$BLOBS"/* && ${path#"$BLOBS"/} != "${DIGEST[$path]}" ]]; then
            bad blob "$path"
        fi
    done
    for path in "${!KIND[@]}"; do
        if ! name_is_safe "${path#./}"; then
            bad unsafe "$path"
        elif [[ ${KIND[$path]} == other ]]; then
            bad notfile "$path"
        elif [[ ${KIND[$path]} == file && -z ${DIGEST[$path]:-} && $path != ./SHA256SUMS ]]; then
            bad extra "$path"
        fi
    done
}

# hash_files: reports every listed file that is there and not as listed.
hash_files() {
    local path total=0
    measure_files
    for path in "${!SIZE[@]}"; do
        total=$((total + ${SIZE[$path]}))
    done
    say verify_start "$(pwd -P)" "${#SIZE[@]}" "$(human_bytes "$total")"
    # coreutils has no use for what a processor can do for it on many hosts; OpenSSL has, and one that says the right sum
    # can hash. Where there is none, or it says another sum, sha256sum has the last word.
    hash_with "$total" openssl dgst -sha256 -r
    hash_with "$total" sha256sum
    progress_end
    while IFS= read -r path; do
        [[ -n ${SUM[$path]:-} ]] || say verify_unreadable "$path"
        is_unchanged "$path" || bad changed "$path"
    done < <(listed_files)
}

# is_unchanged ./PATH: it is listed, there, and as listed.
is_unchanged() {
    [[ -n ${SUM[$1]:-} && ${SUM[$1]} == "${DIGEST[$1]:-}" ]]
}

# hash_with TOTAL COMMAND...: fills SUM for those that are not known to be unchanged yet.
hash_with() {
    WORKERS=()
    read_results "$1" < <(run_workers "$@")
}

# listed_files: each file that is listed and there, one a line (safe names hold no line feed).
listed_files() {
    local path
    for path in "${!DIGEST[@]}"; do
        if [[ ${KIND[$path]:-} == file ]]; then
            printf '%s\n' "$path"
        fi
    done
}

# measure_files: fills SIZE, a few hundred files to a `stat`.
measure_files() {
    local line
    local -a batch
    while IFS= read -r line; do
        SIZE[${line#* }]=${line%% *}
    done < <(
        while mapfile -t -n 400 batch && ((${#batch[@]})); do
            stat -c '%s %n' ${batch[@]+"${batch[@]}"}
        done < <(listed_files)
    )
}

# run_workers TOTAL COMMAND...: what it prints for all of these files, as it comes: the hex, two characters, the path. One
# worker, or two with the biggest files dealt out first.
run_workers() {
    local line workers=1 worker
    local -a share=('' '') load=(0 0)
    if (($1 >= TWO_WORKERS_FROM && $(nproc) > 1)); then
        workers=2
    fi
    while IFS= read -r line; do
        worker=$((workers == 2 && load[0] > load[1]))
        load[worker]=$((load[worker] + ${line%% *}))
        share[worker]+=${line#* }$'\n'
    done < <(unproved_files | sort -rn)
    # shellcheck disable=SC2046 # a word for each
    trap 'kill $(jobs -p) 2>/dev/null; exit 1' TERM
    for worker in 0 1; do
        if [[ -n ${share[worker]} ]]; then
            hash_share "${@:2}" < <(printf '%s' "${share[worker]}") &
        fi
    done
    wait
}

# unproved_files: size and path.
unproved_files() {
    local path
    for path in "${!SIZE[@]}"; do
        is_unchanged "$path" || printf '%s %s\n' "${SIZE[$path]}" "$path"
    done
}

# hash_share COMMAND...: for the paths on stdin, a few hundred at once, after a line `worker <pid>`. sed keeps the lines of
# two of them apart.
hash_share() {
    local -a batch
    trap 'kill "$!" 2>/dev/null; exit 1' TERM
    while mapfile -t -n 400 batch && ((${#batch[@]})); do
        "$@" ${batch[@]+"${batch[@]}"} 2>/dev/null > >(sed -u '') &
        printf 'worker %s\n' "$!"
        wait "$!" || continue # what it could not hash has no line
    done
}

# read_results TOTAL: takes the workers' lines; a line may come in two pieces, as `read` gives up every second to show
# progress. Whoever interrupts this script ends the workers too, which would read on.
read_results() {
    local line held='' path
    # shellcheck disable=SC2064 # this very process: the one that feeds stdin
    trap "kill $! 2>/dev/null" EXIT
    while true; do
        if IFS= read -r -t 1 line; then
            line=$held$line
            held=''
            case $line in
                'worker '*) WORKERS+=("${line#worker }") ;;
                *)
                    path=${line:66}
                    if [[ -n $path && -n ${SIZE[$path]:-} ]]; then
                        SUM[$path]=${line:0:64}
                        if is_unchanged "$path"; then
                            PROVED=$((PROVED + ${SIZE[$path]}))
                        fi
                    fi
                    ;;
            esac
        elif (($? > 128)); then
            held+=$line
        else
            trap - EXIT
            return 0
        fi
        if progress_is_due; then
            progress "$(furthest)" "$1"
        fi
    done
}

# furthest: the bytes of proved files, or what the workers have read if that is more: big files take long.
furthest() {
    local pid io read=0
    for pid in ${WORKERS[@]+"${WORKERS[@]}"}; do
        io=$(cat "/proc/$pid/io" 2>/dev/null) || continue
        [[ $io =~ rchar:\ ([0-9]+) ]] && read=$((read + BASH_REMATCH[1]))
    done
    printf '%d' $((read > PROVED ? read : PROVED))
}

# find_incomplete: what the images need and the bundle has not. Only tables that are as listed are looked into.
find_incomplete() {
    local omitted=/dev/null facts=/dev/null kind path value
    if is_unchanged ./omitted.tsv; then omitted=omitted.tsv; fi
    if ! omitted_names_are_safe "$omitted"; then
        bad malformed ./omitted.tsv
        facts=/dev/null omitted=/dev/null
    elif is_unchanged ./scripts/facts.tsv; then
        facts=scripts/facts.tsv
    fi
    while IFS=$'\t' read -r kind path value; do
        case $kind in
            newer) say verify_newer "$value" "$KNOWN_FORMAT" ;;&
            newer | malformed) bad malformed "./$path" ;;
            incomplete) bad incomplete "./$path" ;;
            images) compare_image_tables ;;
        esac
    done < <(needed_by_images "$omitted" "$facts")
}

# omitted_names_are_safe TABLE: each file that is left out, and where it comes from: a path below the root, or `-`.
omitted_names_are_safe() {
    local kind path from rest
    while IFS=$'\t' read -r kind path from rest; do
        if [[ $kind == file ]]; then
            name_is_safe "$path" && { [[ $from == - ]] || name_is_safe "$from"; } || return 1
        fi
    done <"$1"
}

# compare_image_tables: index.json and manifest.json must name exactly the images of the facts.
compare_image_tables() {
    local index=images/index.json manifest=images/manifest.json facts=scripts/facts.tsv
    if is_unchanged "./$index" && [[ $(index_entries <"$index") != $(expected_index "$facts") ]]; then
        bad incomplete "./$index"
    fi
    if is_unchanged "./$manifest" && [[ $(manifest_entries <"$manifest") != $(expected_manifest "$facts") ]]; then
        bad incomplete "./$manifest"
    fi
}

# report: what is bad, sorted, on stdout, and what to do about it; or one line that says what was verified.
report() {
    local list path bytes=0 sums name since=
    if ((${#BAD[@]})); then
        list=$(printf '%s\n' ${BAD[@]+"${BAD[@]}"} | sort -u)
        printf '%s\n' "$list"
        fail verify_bad "$(printf '%s\n' "$list" | wc -l)"
        exit 3
    fi
    for path in "${!SIZE[@]}"; do
        bytes=$((bytes + ${SIZE[$path]}))
    done
    sums=$(sha256sum <SHA256SUMS)
    printf 'ok\t%d\t%d\t%s\n' "${#DIGEST[@]}" "$bytes" "${sums%% *}"
    name=$(fact scripts/facts.tsv bundle)-$(fact scripts/facts.tsv id)
    if [[ -f omitted.tsv ]]; then
        since=$(releases_since omitted.tsv)
        name+=${since:+-since-${since//$'\n'/-}}
        say verify_omitted "$(grep -c '^blob' omitted.tsv)" "$(grep '^file' omitted.tsv | cut -f 2 | sort -u | wc -l)"
    fi
    if [[ -n $since ]]; then
        say verify_since "${since//$'\n'/, }"
    fi
    say verify_good "$name" "${#DIGEST[@]}" "$(human_bytes "$bytes")" "$bytes"
    say verify_compare "$name" "${sums%% *}"
}
