#!/usr/bin/env bash
# Verify an unpacked bundle with the operator's tools alone (docs/bundle-format.md, "Verification").
set -Eeuo pipefail
set +o posix # a caller's POSIXLY_CORRECT turns it on, and bash 4.2 then refuses `< <(…)`

LIB_FILES=(say.sh facts.sh images.sh verify.sh messages.en.sh messages.zh.sh)

# load_library FOLDER: the scripts beside this one; where one lacks, the bundle is already known to be bad.
load_library() {
    local name lacking=0
    for name in "${LIB_FILES[@]}"; do
        if [[ ! -f $1/$name || -L $1/$name ]]; then
            printf 'bad\tmissing\tscripts/lib/%s\n' "$name"
            lacking=1
        fi
    done
    if ((lacking)); then
        printf 'Copy the bundle again. 请重新拷贝离线包。\n' >&2
        exit 3
    fi
    # shellcheck source=scripts/host/lib/say.sh
    source "$1/say.sh"
    # shellcheck source=scripts/host/lib/facts.sh
    source "$1/facts.sh"
    # shellcheck source=scripts/host/lib/images.sh
    source "$1/images.sh"
    # shellcheck source=scripts/host/lib/verify.sh
    source "$1/verify.sh"
}

usage_error() {
    fail "$@"
    say verify_usage
    exit 2
}

# read_arguments ARGUMENT...: sets FOLDER.
read_arguments() {
    while (($#)); do
        case $1 in
            --lang)
                use_language "${2:-?}" || usage_error option_value
                shift
                ;;
            -h | --help)
                say verify_usage
                exit 0
                ;;
            -*) usage_error option_unknown "$1" ;;
            *)
                [[ -z $FOLDER ]] || usage_error argument_extra "$1"
                FOLDER=$1
                ;;
        esac
        shift
    done
}

main() {
    local here FOLDER=
    here=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
    load_library "$here/lib"
    trap unexpected ERR
    use_language ''
    read_arguments "$@"
    FOLDER=${FOLDER:-$here/..}
    [[ -d $FOLDER ]] || usage_error folder_missing "$FOLDER"
    plain_environment
    verify_bundle "$FOLDER"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
