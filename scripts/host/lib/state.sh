# shellcheck shell=bash
# What a host remembers between runs: $ROOT/state, `key=value` a line, read and never sourced; and $ROOT/audit.log.
# Keys: current, former (ids), mode, former_mode, history (ids that were in service, newest first), deploy_backup (made by a
# deploy that has not ended yet), keep_last, keep_daily, keep_weekly (backups); of the run that is at work or was the last: action, target, target_mode, who, from, started, pid, step, phase, service, result, exit, log.

# state_get KEY: its value; nothing while there is none.
state_get() {
    if [[ -f $ROOT/state ]]; then
        awk -v key="$1" 'index($0, key "=") == 1 { print substr($0, length(key) + 2); exit }' "$ROOT/state"
    fi
}

# state_set KEY=VALUE...: all of them or none, even if the power fails; an empty value takes the key away. Fails where the
# disk is full.
state_set() {
    local new=$ROOT/.state-new
    {
        printf '%s\n' "$@" | sed '/=$/d'
        if [[ -f $ROOT/state ]]; then
            awk 'NR == FNR { set[substr($0, 1, index($0, "="))] = 1; next } !(substr($0, 1, index($0, "=")) in set)' \
                <(printf '%s\n' "$@") "$ROOT/state"
        fi
    } >"$new" && lasting "$new" && mv -T -- "$new" "$ROOT/state"
}

# lasting FILE: on the disk before it gets its name. (`sync FILE` syncs everything before coreutils 8.24.)
lasting() {
    dd if=/dev/null of="$1" conv=notrunc,fsync status=none
}

# replace_file FILE MODE COMMAND...: with what the command says, and only if it ends well; the owner stays who it was,
# and of a new file it is the folder's.
replace_file() {
    local file=$1 mode=$2 new=${1%/*}/.new-${1##*/} like=$1
    [[ -e $file ]] || like=${file%/*}
    rm -f -- "$new"
    (umask 077 && : >"$new")
    "${@:3}" >"$new"
    chmod -- "$mode" "$new"
    chown --reference="$like" -- "$new"
    lasting "$new"
    mv -T -- "$new" "$file"
}

# audit_log WORD...: when, who, from where, and what the caller says; tab-separated.
audit_log() {
    local line word
    line=$(date -u +%FT%TZ)$'\t'$(asker)$'\t'$(asked_from)
    for word in "$@"; do
        line+=$'\t'$(printf '%s' "$word" | tr '\t\n' '  ')
    done
    (umask 077 && printf '%s\n' "$line" >>"$ROOT/audit.log")
}

# asker: who runs this, also behind sudo.
asker() {
    printf '%s' "${SUDO_USER:-$(id -un)}"
}

# asked_from: the address that an SSH session came from, which sudo takes out of the environment; else `local`.
asked_from() {
    local pid=$$ connection=${SSH_CONNECTION:-}
    while [[ -z $connection && $pid -gt 1 ]]; do
        connection=$(tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | sed -n 's/^SSH_CONNECTION=//p') || connection=
        pid=$(awk '$1 == "PPid:" { print $2 }' "/proc/$pid/status" 2>/dev/null) || pid=1
    done
    connection=${connection%% *}
    printf '%s' "${connection:-local}"
}
