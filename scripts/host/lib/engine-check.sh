# shellcheck shell=bash
# Before the engine is installed: its files are those that the release names, and this host is one that can have it.
# Reads the globals BUNDLE, FACTS, DATA_ROOT; sets RELEASE.

SYSTEM=                                  # before every path of the host; tests bring a folder
ENGINE_HOME=/usr/local/lib/docker-engine # a folder for each release, and links to those in use
ENGINE_PACKAGES=(podman-docker docker docker-ce docker-ce-cli docker-engine docker.io docker-cli moby-engine)

# check_engine_files: every file against the release's facts, and those against SHA256SUMS. Nothing was touched yet.
check_engine_files() {
    local name digest bad=0
    if grep -qs $'^file\tengine/' "$BUNDLE/omitted.tsv"; then
        fail engine_left_out "$(fact "$FACTS" id)"
        exit 5
    fi
    if [[ -z $(records "$FACTS" engine_file) || ! -d $BUNDLE/engine ]]; then
        fail engine_not_brought
        exit 5
    fi
    is_listed scripts/facts.tsv || bad=1
    while IFS=$'\t' read -r name digest; do
        is_file_of_digest "$BUNDLE/engine/$name" "$digest" || bad=1
    done < <(records "$FACTS" engine_file)
    if ((bad)); then
        fail engine_files_bad
        exit 3
    fi
    # By its bytes: another build of the same version is another release.
    # shellcheck disable=SC2034 # the other engine files read it
    RELEASE=$(records "$FACTS" engine | cut -f 1)-$(records "$FACTS" engine_file | sha256sum | cut -c 1-12)
}

# is_listed PATH: a file of the bundle is as SHA256SUMS has it.
is_listed() {
    local digest
    digest=$(awk -v path="$1" 'substr($0, 67) == path { print substr($0, 1, 64) }' "$BUNDLE/SHA256SUMS")
    is_file_of_digest "$BUNDLE/$1" "$digest"
}

is_file_of_digest() {
    if [[ ! -f $1 || $(sha256sum <"$1") != "$2  -" ]]; then
        say engine_file_bad "$1"
        return 1
    fi
}

# check_engine_host: everything that speaks against it, at once; code 5.
check_engine_host() {
    local id text
    FINDINGS=$(mktemp)
    preflight_system
    preflight_tools
    check_iptables
    check_other_engines
    check_room
    check_data_root
    while IFS=$'\t' read -r _ id text; do
        printf '%s%s [%s]\n' "${MESSAGES[error]}" "$text" "$id" >&2
    done <"$FINDINGS"
    if [[ -s $FINDINGS ]]; then
        rm -- "$FINDINGS"
        say engine_refused
        exit 5
    fi
    rm -- "$FINDINGS"
}

check_iptables() {
    if ! command -v iptables >/dev/null; then
        refuse pf_iptables iptables
    fi
}

# check_other_engines: two engines on one host fight for sockets, bridges and rules.
check_other_engines() {
    local found
    found=$({
        other_programs
        other_packages
        other_daemons
    } | sort -u | tr '\n' ' ')
    if [[ $found == *podman-docker* ]]; then
        refuse engine_podman podman-docker
    elif [[ -n $found ]]; then
        refuse engine_other engine "${found% }"
    fi
}

other_programs() {
    local name path
    for name in docker dockerd; do
        if path=$(command -v "$name") && ! is_of_this_home "$path"; then
            if [[ $("$path" --version 2>&1) == *[Pp]odman* ]]; then
                printf 'podman-docker\n'
            fi
            printf '%s\n' "$path"
        fi
    done
}

other_packages() {
    local name
    for name in "${ENGINE_PACKAGES[@]}"; do
        if command -v rpm >/dev/null && rpm -q --quiet "$name" 2>/dev/null; then
            printf '%s\n' "$name"
        elif command -v dpkg-query >/dev/null &&
            [[ $(dpkg-query --show --showformat '${Status}' "$name" 2>/dev/null) == *' ok installed' ]]; then
            printf '%s\n' "$name"
        fi
    done
}

other_daemons() {
    local comm pid
    for comm in "$PROC"/[0-9]*/comm; do
        if [[ $(cat "$comm" 2>/dev/null) == dockerd ]] && ! is_of_this_home "${comm%/comm}/exe"; then
            pid=${comm%/comm}
            printf 'dockerd(pid:%s)\n' "${pid##*/}"
        fi
    done
}

# is_of_this_home PATH: whether a program is one that this script installed, whatever links lead there.
is_of_this_home() {
    [[ $(readlink -f -- "$1") == "$SYSTEM$ENGINE_HOME"/* ]]
}

# check_room: the tarball and what it unpacks to, some four times its size.
check_room() {
    local folder need free
    folder=$(existing_parent "$SYSTEM$ENGINE_HOME")
    need=$(($(stat -c %s -- "$BUNDLE/engine/docker.tgz") * 4 + $(stat -c %s -- "$BUNDLE/engine/docker-compose")))
    free=$(($(df -P -- "$folder" | awk 'NR == 2 { print $4 }') * 1024))
    if ((free < need)); then
        refuse engine_room disk "$ENGINE_HOME" "$(human_bytes "$free")" "$(human_bytes "$need")" "$(human_bytes $((need - free)))"
    fi
}

# check_data_root: where images will lie; a daemon.json of the operator's own is theirs to change.
check_data_root() {
    local settings=$SYSTEM/etc/docker/daemon.json
    if is_xfs_without_ftype "${DATA_ROOT:-/var/lib/docker}"; then
        refuse pf_ftype ftype "${DATA_ROOT:-/var/lib/docker}"
    fi
    if [[ -n $DATA_ROOT && -f $settings ]] && ! grep -qF "\"data-root\": \"$DATA_ROOT\"" "$settings"; then
        refuse engine_settings data-root "$settings" "$DATA_ROOT"
    fi
}
