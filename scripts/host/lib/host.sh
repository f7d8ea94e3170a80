# shellcheck shell=bash disable=SC2034 # the library reads what is set here
# What the scripts of a host that already has the stack begin with. They lie in <root>/releases/<id>/scripts.

# find_stack HERE: sets BUNDLE, ROOT, FACTS, STACK, MODE: those of the release in service, or of this one where none is.
find_stack() {
    local own=${1%/*} current
    FACTS=$own/scripts/facts.tsv
    if [[ -z $ROOT && -f ${own%/*/*}/state ]]; then
        ROOT=${own%/*/*}
    fi
    ROOT=${ROOT:-$(fact "$FACTS" root)}
    if [[ ! -f $ROOT/state ]]; then
        fail host_absent "$ROOT"
        exit 2
    fi
    current=$(state_get current)
    BUNDLE=$own
    if [[ -n $current ]]; then
        BUNDLE=$ROOT/releases/$current
        FACTS=$BUNDLE/scripts/facts.tsv
    fi
    STACK=$(fact "$FACTS" stack)
    MODE=$(state_get mode)
    FIREWALL=no ADOPT=''
}

# common_option ARGUMENT...: takes --root, --lang and --help; sets TAKEN to how many words that were.
common_option() {
    TAKEN=0
    case $1 in
        --root)
            [[ ${2:-} == /* ]] || usage_error option_needs_value "$1"
            ROOT=${2%/}
            TAKEN=2
            ;;
        --lang)
            use_language "${2:-?}" || usage_error option_value
            TAKEN=2
            ;;
        -h | --help)
            say "$USAGE"
            exit 0
            ;;
    esac
}

# usage_error KEY ARGUMENT...
usage_error() {
    fail "$@"
    say "$USAGE"
    exit 2
}

# ask_person: goes on after a yes; there must be somebody to ask.
ask_person() {
    local answer
    if [[ $ASSUME_YES == yes ]]; then
        return
    fi
    [[ -t 0 ]] || usage_error yes_needed
    say plan_question
    read -r answer
    if [[ ${answer,,} != y && ${answer,,} != yes ]]; then
        say plan_declined
        exit 130
    fi
}

# require_services NAME...: each is one of the mode in service.
require_services() {
    local name
    for name in "$@"; do
        has_service "$FACTS" "$MODE" "$name" || usage_error service_unknown "$name" "$(services_of "$FACTS" "$MODE" | tr '\n' ' ')"
    done
}
