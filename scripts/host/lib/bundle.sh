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
    local absent
    if ! absent=$(omitted_present); then
        refuse pf_omitted omitted "$(printf '%s\n' "$absent" | wc -l)" "$(printf '%s\n' "$absent" | sed -n '1s/.*\t//p')"
    fi
}
