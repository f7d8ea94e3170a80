#!/usr/bin/env bash
# Install the Docker engine that this bundle brings, on a host without internet (docs/architecture.md, "Engine").
# Killed anywhere, the same command run again finishes it, or takes it back.
set -Eeuo pipefail
set +o posix # a caller's POSIXLY_CORRECT turns it on, and bash 4.2 then refuses `< <(…)`

LIB_FILES=(say facts preflight preflight-host preflight-engine preflight-disk preflight-subnet engine-check engine-files engine-start)

# load_library FOLDER...: the scripts of the first of these folders that is there.
load_library() {
    local folder name
    for folder in "$@"; do
        if [[ -d $folder ]]; then
            for name in "${LIB_FILES[@]}"; do
                # shellcheck disable=SC1090 # beside this script, in the bundle and in the kit
                source "$folder/$name.sh"
            done
            return
        fi
    done
    printf 'scripts/lib: missing. Copy the bundle again. 缺少 scripts/lib，请重新拷贝离线包。\n' >&2
    exit 3
}

usage_error() {
    fail "$@"
    say engine_usage
    exit 2
}

# read_arguments ARGUMENT...: sets UPGRADE and DATA_ROOT.
read_arguments() {
    while (($#)); do
        case $1 in
            --upgrade) UPGRADE=yes ;;
            --data-root)
                DATA_ROOT=${2:-}
                [[ $DATA_ROOT == /* && $DATA_ROOT != *[\"\\]* ]] || usage_error engine_data_root_value
                shift
                ;;
            --lang)
                use_language "${2:-?}" || usage_error option_value
                shift
                ;;
            -h | --help)
                say engine_usage
                exit 0
                ;;
            *) usage_error option_unknown "$1" ;;
        esac
        shift
    done
}

# install_engine: from here on things change. What was in service stays so until the new engine's files are whole.
install_engine() {
    local proved
    proved=$(linked proved)
    if [[ -n $proved && $proved != "$RELEASE" && $UPGRADE != yes ]]; then
        finish_return "$proved"
        fail engine_other_release "$proved" "$RELEASE"
        exit 5
    fi
    prepare_release
    make_group
    write_settings
    write_unit
    link_programs
    if [[ -z $proved ]]; then
        start_first_time
    elif [[ $proved == "$RELEASE" ]]; then
        start_again
    else
        upgrade_from "$proved"
    fi
    forget_old_releases
    say engine_done "$RELEASE" "$("$ENGINE_HOME/current/bin/docker" --version)"
}

main() {
    local here
    here=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
    load_library "$here/scripts/lib" "$here/lib"
    UPGRADE=no DATA_ROOT=''
    trap unexpected ERR
    use_language ''
    read_arguments "$@"
    plain_environment
    # shellcheck disable=SC2034 # the library reads them
    BUNDLE=$here
    # shellcheck disable=SC2034
    FACTS=$here/scripts/facts.tsv
    check_engine_files
    check_engine_host
    take_engine_lock
    install_engine
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
