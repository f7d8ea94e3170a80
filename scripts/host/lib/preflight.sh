# shellcheck shell=bash
# What a host lacks for a release, found before anything is touched: read-only, and all of it at once. Each finding is
# one line of the file $FINDINGS: `refuse` or `warn`, an id, and a sentence with the missing amount and the cure.
# Reads the globals BUNDLE, ROOT, FACTS, MODE, ADOPT, FIREWALL, BACKUP_WANTED and FINDINGS of the script that asks.

# shellcheck disable=SC2034 # the other preflight files read them
PROC=/proc # the kernel's tables, and
# shellcheck disable=SC2034
ETC=/etc # the host's settings; tests bring their own

# preflight_all: appends every finding to $FINDINGS.
preflight_all() {
    exec 8< <(compose_versions) # Compose 1 takes half a second for its answer
    preflight_host
    preflight_engine
    preflight_compose <&8
    exec 8<&-
    preflight_disk
    preflight_network
    preflight_subnet
    preflight_data
}

# refuse KEY ID ARGUMENT...: a finding that stops the deploy.
refuse() {
    finding refuse "$@"
}

# caution KEY ID ARGUMENT...: a finding that does not.
caution() {
    finding warn "$@"
}

finding() {
    local text
    text=$(say "$2" "${@:4}" 2>&1 | tr '\t\n' '  ')
    printf '%s\t%s\t%s\n' "$1" "$3" "${text% }" >>"$FINDINGS"
}

# may_be_accepted ID: whether `--accept ID` can help; without these nothing could go on.
may_be_accepted() {
    case $1 in
        root | arch | bash | tools | engine | compose | mode | omitted) return 1 ;;
    esac
}

# version_at_least HAVE LEAST: compares up to three numbers; what follows them does not count.
version_at_least() {
    (($(version_number "$1") >= $(version_number "$2")))
}

version_number() {
    if [[ $1 =~ ^v?([0-9]+)(\.([0-9]+))?(\.([0-9]+))? ]]; then
        printf '%d' $((10#${BASH_REMATCH[1]} * 1000000 + 10#${BASH_REMATCH[3]:-0} * 1000 + 10#${BASH_REMATCH[5]:-0}))
    else
        printf '0'
    fi
}

# size_bytes TEXT: `512m` or `6g` as Compose counts them, in bytes.
size_bytes() {
    local number=${1%[kmg]}
    case $1 in
        *k) printf '%d' $((number * 1024)) ;;
        *m) printf '%d' $((number * 1024 * 1024)) ;;
        *g) printf '%d' $((number * 1024 * 1024 * 1024)) ;;
    esac
}

# in_mode SERVICE: whether the chosen mode has this service.
in_mode() {
    local name services
    while IFS=$'\t' read -r name services; do
        if [[ $name == "$MODE" && ,$services, == *,"$1",* ]]; then
            return 0
        fi
    done < <(records "$FACTS" mode)
    return 1
}

# existing_parent PATH: the path itself, or the nearest folder above that is there.
existing_parent() {
    local path=$1
    while [[ ! -e $path ]]; do
        path=$(dirname -- "$path")
    done
    printf '%s' "$path"
}
