# shellcheck shell=bash disable=SC2034,SC2153 # the entry scripts and the library share globals
# Lay out the release and point `current` at it. Until the containers change nothing has happened yet.

switch_release() {
    local id former facts
    id=$(fact "$FACTS" id)
    former=$(state_get current)
    facts=${former:+$ROOT/releases/$former/scripts/facts.tsv}
    lay_shared
    lay_env
    lay_payload
    if [[ -n $former && $former != "$id" && $ACTION == deploy ]]; then
        carry_edits "$facts"
    fi
    forget_proved "$facts"
    lay_release "$id"
    point_current "$id"
}

# lay_release ID: releases/<id>/, whole or not at all.
lay_release() {
    local partial=$ROOT/releases/.partial-$1 place=$ROOT/releases/$1 name
    rm -rf -- "$ROOT"/releases/.partial-*
    if [[ -d $place ]]; then
        if [[ $(sha256sum <"$BUNDLE/$STACK_FILE") != "$(sha256sum <"$place/$STACK_FILE")" ]]; then
            stop_with release_differs "$1" "$place"
        fi
        return 0
    fi
    mkdir -p -- "$partial"
    for name in "$BUNDLE"/*; do
        if [[ -f $name && ${name##*/} != offline-deploy.sh && ${name##*/} != omitted.tsv ]]; then
            cp -- "$name" "$partial/"
        fi
    done
    bring scripts "$partial/scripts"
    while IFS= read -r name; do
        bring "$name" "$partial/$name"
    done < <(omitted_at_top)
    whole_sums >"$partial/SHA256SUMS"
    find "$partial" -type d -exec chmod 0755 {} + -o -name '*.sh' -exec chmod 0755 {} + -o -type f -exec chmod 0644 {} +
    lay_defaults "$partial"
    link_for_people "$partial"
    sync
    mv -T -- "$partial" "$place"
}

# whole_sums: SHA256SUMS as it would be had the bundle left nothing out, so that a later proof misses nothing.
whole_sums() {
    if [[ ! -f $BUNDLE/omitted.tsv ]]; then
        cat -- "$BUNDLE/SHA256SUMS"
        return
    fi
    {
        grep -v '^.\{66\}omitted\.tsv$' "$BUNDLE/SHA256SUMS"
        awk -F '\t' '
            $1 == "blob" { hex = substr($2, 8); print hex "  images/blobs/sha256/" hex }
            $1 == "file" { print $4 "  " $2 }' "$BUNDLE/omitted.tsv"
    } | LC_ALL=C sort -u -t $'\t' -k 1.67
}

# link_for_people FOLDER: what people look for beside the compose file.
link_for_people() {
    local bundle source top
    ln -s ../../.env "$1/.env"
    while IFS=$'\t' read -r bundle source; do
        top=${bundle%%/*}
        if [[ ! -e $1/$top && ! -L $1/$top ]]; then
            ln -s "../../${source%"$bundle"}$top" "$1/$top"
        fi
    done < <(records "$FACTS" mount | cut -f 3,4)
}

# point_current ID: by the rename of a link, so that it always points somewhere.
point_current() {
    ln -sfn "releases/$1" "$ROOT/.current-new"
    mv -T -- "$ROOT/.current-new" "$ROOT/current"
}
