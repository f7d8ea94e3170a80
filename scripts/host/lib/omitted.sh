# shellcheck shell=bash
# What omitted.tsv says is on this host already (docs/bundle-format.md): layers in the engine's image store, files of the
# payload below $ROOT. Needs facts.sh and stored.sh; reads the globals BUNDLE, ROOT and FACTS.

# omitted_present: everything left out is really here. Otherwise prints `absent`, the kind, and the digest or path of
# each that is not, separated by tabs, and fails. Reads only, and hashes every file.
omitted_present() {
    local absent
    [[ -f $BUNDLE/omitted.tsv ]] || return 0
    absent=$(
        absent_blobs
        absent_files
    )
    if [[ -n $absent ]]; then
        printf '%s\n' "$absent"
        return 1
    fi
}

# absent_blobs: a classic store finds a layer by the whole chain of diff_ids below it, so every image of the bundle that
# has this layer must have it on a chain that some image of the host has; a containerd store finds a blob by its digest.
absent_blobs() {
    local store
    grep -q "^blob" "$BUNDLE/omitted.tsv" || return 0
    store=$(image_store)
    awk -F '\t' -v OFS='\t' '
        table == "chains" {
            count = split($0, diff_id, " ")
            chain = ""
            for (i = 1; i <= count; i++) { chain = chain " " diff_id[i]; present[chain] = 1 }
            next
        }
        table == "blobs" { blob[$1] = 1; next }
        table == "facts" && $1 == "image" { below[$2] = "" }
        table == "facts" && $1 == "layer" {
            below[$2] = below[$2] " " $4
            used[$5] = 1
            if (!(below[$2] in present)) lacking[$5] = 1
        }
        table == "omitted" && $1 == "blob" && !($2 in blob) && (!($2 in used) || ($2 in lacking)) {
            print "absent", "blob", $2
        }
    ' table=chains <([[ $store != classic ]] || stored_chains) \
        table=blobs <([[ $store != containerd ]] || stored_blobs) \
        table=facts "$FACTS" table=omitted "$BUNDLE/omitted.tsv"
}

# absent_files: those that no place has.
absent_files() {
    omitted_files '' | awk -F '\t' -v OFS='\t' '$2 == "absent" { print "absent", "file", $1 }'
}

# omitted_files PATH: `path here|absent from` of each file that was left out of PATH, or of the bundle. Lines
# about one file stand together; one of the places that they name is enough.
omitted_files() {
    local kind path from sha256 last='' place=''
    while IFS=$'\t' read -r kind path from sha256 _; do
        if [[ $kind != file || (-n $1 && $path/ != "$1"/*) ]]; then
            continue
        fi
        if [[ $path != "$last" ]]; then
            omitted_file "$last" "$place"
            last=$path place=''
        fi
        if [[ -z $place ]] && file_is_here "$path" "$from" "$sha256"; then
            place=$from
        fi
    done <"$BUNDLE/omitted.tsv"
    omitted_file "$last" "$place"
}

# omitted_file PATH PLACE: its line; there is none before the first.
omitted_file() {
    if [[ -n $1 && -n $2 ]]; then
        printf '%s\there\t%s\n' "$1" "$2"
    elif [[ -n $1 ]]; then
        printf '%s\tabsent\t-\n' "$1"
    fi
}

# file_is_here PATH FROM SHA256: at FROM below the root, with those bytes; one of engine/ is not needed where an engine
# answers.
file_is_here() {
    local sum
    if [[ $2 == - ]]; then
        [[ $1 == engine/* && -n $(image_store) ]]
        return
    fi
    sum=$(sha256sum 2>/dev/null <"$ROOT/$2") || sum=
    [[ ${sum%% *} == "$3" ]] || was_shipped "$2" "$3"
}

# was_shipped FROM SHA256: a hot module may have been edited since; what was shipped stands beside its folder
# (payload.sh). The kit leaves one out only where the release wants that very folder, so that nothing is copied.
was_shipped() {
    local folder=${1#payload/}
    folder=payload/${folder%%/*}
    [[ -f $ROOT/$folder.shipped ]] && grep -qxF -- "$2  ${1#"$folder/"}" "$ROOT/$folder.shipped"
}

# omitted_bytes: of the files that will be copied below the root: all but those whose folder is one of the release's own.
omitted_bytes() {
    if [[ ! -f $BUNDLE/omitted.tsv ]]; then
        printf 0
        return
    fi
    awk -F '\t' '
        table == "own" { own[$1] = 1; next }
        $1 == "file" && $3 != "-" && !seen[$2]++ {
            split($3, part, "/")
            if (!(part[1] "/" part[2] in own)) print $3
        }' table=own <(payload_folders "$FACTS" | cut -d ' ' -f 1) table=omitted "$BUNDLE/omitted.tsv" |
        tr '\n' '\0' | (cd -- "$ROOT" 2>/dev/null && xargs -0 -r stat -c %s -- 2>/dev/null) |
        awk '{ sum += $1 } END { printf "%.0f", sum }' || true # what is absent is another finding
}

# omitted_at_top: the names of those that would lie at the top of the bundle.
omitted_at_top() {
    if [[ -f $BUNDLE/omitted.tsv ]]; then
        awk -F '\t' '$1 == "file" && $2 !~ "/" { print $2 }' "$BUNDLE/omitted.tsv" | sort -u
    fi
}

# omitted_into PATH TARGET: copies to TARGET what was left out of PATH, a file or a folder of the bundle.
omitted_into() {
    local path state from target
    [[ -f $BUNDLE/omitted.tsv ]] || return 0
    while IFS=$'\t' read -r path state from; do
        target=$2${path#"$1"}
        if [[ $state == absent ]]; then
            return 1
        elif [[ $from != - ]]; then
            mkdir -p -- "${target%/*}"
            cp -p -- "$ROOT/$from" "$target"
        fi
    done < <(omitted_files "$1")
}

# find_library: sets LIB to the scripts that this one needs: the bundle's own, or where the bundle left them out, those
# of a release on this host, each as the bundle has them. Ends with 5 where there is none.
find_library() {
    local ROOT=${ROOT:-$(fact "$FACTS" root)} since id
    if [[ -f $LIB/all.sh ]]; then
        return
    fi
    since=$(releases_since "$BUNDLE/omitted.tsv")
    for id in $since; do
        if library_is_whole "releases/$id"; then
            LIB=$ROOT/releases/$id/scripts/lib
            return
        fi
    done
    fail omitted_needs "${since//$'\n'/, }" "$ROOT" "$(fact "$FACTS" id)"
    exit 5
}

# library_is_whole RELEASE: the scripts there, those that the bundle has too, are as its lists say.
library_is_whole() {
    {
        awk -v place="$1/" 'index(substr($0, 67), "scripts/lib/") == 1 { print substr($0, 1, 66) place substr($0, 67) }' \
            "$BUNDLE/SHA256SUMS"
        awk -F '\t' -v place="$1/" '$1 == "file" && index($3, place) == 1 { print $4 "  " $3 }' "$BUNDLE/omitted.tsv"
    } | (cd -- "$ROOT" 2>/dev/null && sha256sum --status -c - 2>/dev/null)
}
