# shellcheck shell=bash
# Files of the bundle, wherever they are: in it, or on this host, where it left them out.

# bring PATH TO: a copy of a file or folder of the bundle; nothing where it has none.
bring() {
    mkdir -p -- "${2%/*}"
    if [[ -e $BUNDLE/$1 ]]; then
        cp -R -- "$BUNDLE/$1" "$2"
    fi
    omitted_into "$1" "$2"
}

# preflight_omitted: a bundle that builds on what a host has is of no use on another.
preflight_omitted() {
    local absent count first since
    if absent=$(omitted_present); then
        return
    fi
    count=$(wc -l <<<"$absent")
    first=$(sed -n 1p <<<"$absent" | cut -f 3)
    since=$(releases_since "$BUNDLE/omitted.tsv")
    if [[ -n $since ]]; then
        refuse pf_omitted_since omitted "${since//$'\n'/, }" "$count" "$first" "$(fact "$FACTS" id)"
    else
        refuse pf_omitted omitted "$count" "$first"
    fi
}
