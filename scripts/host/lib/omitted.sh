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

# absent_files: a file lies where the third field says, with the bytes that the fourth says; one of engine/ is not
# needed where an engine answers.
absent_files() {
    local kind path from sha256 sum
    while IFS=$'\t' read -r kind path from sha256; do
        if [[ $kind == file && $from == - ]]; then
            [[ $path == engine/* && -n $(image_store) ]] || printf 'absent\tfile\t%s\n' "$path"
        elif [[ $kind == file ]]; then
            sum=$(sha256sum 2>/dev/null <"$ROOT/$from") || sum=
            [[ ${sum%% *} == "$sha256" ]] || printf 'absent\tfile\t%s\n' "$path"
        fi
    done <"$BUNDLE/omitted.tsv"
}

# omitted_into PATH TARGET: copies to TARGET what was left out of PATH, a file or a folder of the bundle.
omitted_into() {
    local kind path from rest target
    [[ -f $BUNDLE/omitted.tsv ]] || return 0
    while IFS=$'\t' read -r kind path from rest; do
        if [[ $kind == file && $path/ == "$1"/* && $from != - ]]; then
            target=$2${path#"$1"}
            mkdir -p -- "${target%/*}"
            cp -p -- "$ROOT/$from" "$target"
        fi
    done <"$BUNDLE/omitted.tsv"
}
