# shellcheck shell=bash
# What people see: sentences in their language, and progress in bytes. All of it goes to stderr; stdout is for lines
# that a program may read. The sentences are in messages.en.sh and messages.zh.sh, by key; those of one script alone in
# messages-<script>.en.sh and .zh.sh.

# use_language WISH: en or zh, or nothing to follow the caller's locale. Fails for any other wish.
use_language() {
    local locale=${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} lib language=en file
    lib=$(dirname -- "${BASH_SOURCE[0]}")
    if [[ ${1:-$locale} == zh* ]]; then
        language=zh
    fi
    for file in "$lib/messages.$language.sh" "$lib"/messages-*."$language.sh"; do
        if [[ -f $file ]]; then
            # shellcheck disable=SC1090 # found beside this file, wherever that is
            source "$file"
        fi
    done
    [[ -z $1 || $1 == en || $1 == zh ]]
}

# plain_environment: the same bytes and the same words from every tool, whatever the caller's settings are; and the
# tools that sudo's PATH leaves out, such as a docker-compose in /usr/local/bin.
# Call it after use_language.
plain_environment() {
    export LC_ALL=C PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    unset -v GREP_OPTIONS CDPATH GLOBIGNORE POSIXLY_CORRECT
    IFS=$' \t\n'
}

# say KEY ARGUMENT...: one sentence.
say() {
    local key=$1
    shift
    # shellcheck disable=SC2059 # the formats are ours, and a test compares their fields in both languages
    printf -- "${MESSAGES[$key]}\n" "$@" >&2
}

warn() {
    printf '%s' "${MESSAGES[warning]}" >&2
    say "$@"
}

fail() {
    printf '%s' "${MESSAGES[error]}" >&2
    say "$@"
}

# alarm KEY ARGUMENT...: a warning that must not be overlooked: red on a terminal.
alarm() {
    if [[ -t 2 && -z ${NO_COLOR:-} ]]; then
        printf '\033[31m' >&2
        warn "$@"
        printf '\033[0m' >&2
    else
        warn "$@"
    fi
}

# unexpected: for `trap unexpected ERR`; a failure that no line foresaw ends with code 1, never with a meaning it has not.
unexpected() {
    local code=$? where="${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}" command=$BASH_COMMAND
    trap - ERR
    fail unexpected "$where" "$code" "$command"
    exit 1
}

# human_bytes BYTES: for people, in powers of 1000, as Docker counts.
human_bytes() {
    local bytes=$1 unit
    if ((bytes < 1000)); then
        printf '%d B' "$bytes"
        return
    fi
    bytes=$((bytes / 100))
    for unit in kB MB GB TB; do
        ((bytes < 10000)) && break
        bytes=$((bytes / 1000))
    done
    printf '%d.%d %s' $((bytes / 10)) $((bytes % 10)) "$unit"
}

PROGRESS_SHOWN=0

# progress_is_due: a second after the last one on a terminal, elsewhere five.
progress_is_due() {
    local every=5
    if [[ -t 2 ]]; then
        every=1
    fi
    ((SECONDS - PROGRESS_SHOWN >= every))
}

# progress DONE TOTAL: bytes; one living line on a terminal, elsewhere plain lines.
progress() {
    local line
    line="  $(human_bytes "$1") / $(human_bytes "$2")"
    PROGRESS_SHOWN=$SECONDS
    if [[ -t 2 ]]; then
        printf '\r\033[2K%s' "$line" >&2
    else
        printf '%s\n' "$line" >&2
    fi
}

# progress_end: take the living line away.
progress_end() {
    if [[ -t 2 ]]; then
        printf '\r\033[2K' >&2
    fi
}
