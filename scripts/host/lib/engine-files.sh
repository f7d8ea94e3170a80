# shellcheck shell=bash
# The engine's files on the host: each release in a folder of its own, put there whole; links, unit and settings.
# Reads the globals BUNDLE, FACTS, DATA_ROOT, RELEASE, SYSTEM, ENGINE_HOME.

# Address pools to choose from for networks that Docker makes by itself; the first that nobody uses here.
POOLS=(172.29.0.0/16 172.26.0.0/16 10.201.0.0/16 10.97.0.0/16 192.168.192.0/20)
POOL_SIZE=24
BINARIES=(containerd containerd-shim-runc-v2 ctr docker docker-init docker-proxy dockerd runc)
LINKS=(/usr/bin/docker /usr/bin/docker-compose /usr/local/lib/docker/cli-plugins/docker-compose)
SETTINGS=/etc/docker/daemon.json
UNIT=/etc/systemd/system/docker.service

# take_engine_lock: one at a time; held by what is started here, but never by the engine.
take_engine_lock() {
    mkdir -p "$SYSTEM$ENGINE_HOME"
    exec 9>>"$SYSTEM$ENGINE_HOME/lock"
    if ! flock -n 9; then
        fail engine_locked
        exit 4
    fi
}

# linked NAME: where the link $ENGINE_HOME/NAME leads; nothing where there is none.
linked() {
    if [[ -L $SYSTEM$ENGINE_HOME/$1 ]]; then
        readlink -- "$SYSTEM$ENGINE_HOME/$1"
    fi
}

# link NAME RELEASE: in one step, so that there is always an old or a new one.
link() {
    ln -sfn -- "$2" "$SYSTEM$ENGINE_HOME/.$1"
    mv -T -- "$SYSTEM$ENGINE_HOME/.$1" "$SYSTEM$ENGINE_HOME/$1"
}

# prepare_release: unpacks beside and tries the programs; under its name only when all of it is there and runs.
prepare_release() {
    local home=$SYSTEM$ENGINE_HOME
    local staging=$home/.staging
    rm -rf -- "$staging"
    if [[ -d $home/$RELEASE ]]; then
        return
    fi
    say engine_unpacking "$RELEASE"
    mkdir -p "$staging"
    if ! unpack_into "$staging" || ! programs_run "$staging/bin"; then
        rm -rf -- "$staging"
        fail engine_unusable
        exit 6
    fi
    sync
    mv -T -- "$staging" "$home/$RELEASE"
    label "$home"
}

unpack_into() {
    tar -xzf "$BUNDLE/engine/docker.tgz" -C "$1" --no-same-owner && mv -T -- "$1/docker" "$1/bin" &&
        cp -- "$BUNDLE/engine/docker-compose" "$1/bin/docker-compose" && chmod 0755 "$1" "$1/bin" "$1"/bin/*
}

# programs_run FOLDER: all eight are there, and those that can say their version do: a wrong libc shows here.
programs_run() {
    local name
    for name in "${BINARIES[@]}"; do
        if [[ ! -x $1/$name ]]; then
            say engine_lacks "$name"
            return 1
        fi
    done
    for name in dockerd containerd runc docker; do
        if ! "$1/$name" --version >/dev/null; then
            return 1
        fi
    done
    "$1/docker-compose" version >/dev/null
}

# label PATH...: what SELinux expects there; unpacked files have the label of where they came from (203/EXEC).
label() {
    if command -v restorecon >/dev/null; then
        restorecon -RF "$@"
    fi
}

make_group() {
    if ! getent group docker >/dev/null; then
        groupadd --system docker
    fi
}

# write_whole PATH: stdin, under its name only when it is all there.
write_whole() {
    mkdir -p "$(dirname -- "$1")"
    cat >"$1.new"
    chmod 0644 "$1.new"
    sync
    mv -T -- "$1.new" "$1"
    label "$1"
}

# write_settings: an operator's own daemon.json stays as it is.
write_settings() {
    local settings=$SYSTEM$SETTINGS pool
    if [[ -f $settings ]]; then
        if ! are_own_settings; then
            say engine_settings_kept "$SETTINGS"
        fi
        return
    fi
    pool=$(free_pool)
    write_whole "$settings" < <(
        printf '{\n'
        if [[ -n $DATA_ROOT ]]; then
            printf '  "data-root": "%s",\n' "$DATA_ROOT"
        fi
        if [[ -n $pool ]]; then
            printf '  "default-address-pools": [{"base": "%s", "size": %d}],\n' "$pool" "$POOL_SIZE"
        fi
        printf '  "log-driver": "json-file",\n  "log-opts": {"max-size": "20m", "max-file": "5"}\n}\n'
    )
    sha256sum <"$settings" >"$SYSTEM$ENGINE_HOME/settings"
}

# are_own_settings: daemon.json is as this script wrote it.
are_own_settings() {
    [[ -f $SYSTEM$ENGINE_HOME/settings && $(sha256sum <"$SYSTEM$SETTINGS") == "$(cat "$SYSTEM$ENGINE_HOME/settings")" ]]
}

# free_pool: one that neither this host nor the stack's own network uses.
free_pool() {
    local pool stack
    stack=$(fact "$FACTS" subnet)
    for pool in "${POOLS[@]}"; do
        if ! overlap "$pool" "$stack" && [[ -z $(users_of_subnet "$pool") ]]; then
            printf '%s' "$pool"
            return
        fi
    done
}

write_unit() {
    local unit=$SYSTEM$UNIT
    if has_systemd && ! cmp -s -- "$BUNDLE/engine/docker.service" "$unit"; then
        write_whole "$unit" <"$BUNDLE/engine/docker.service"
        systemctl daemon-reload
    fi
}

# link_programs: what people type, and Compose as a plugin; another's docker-compose stays.
link_programs() {
    local path
    mkdir -p "$SYSTEM/usr/bin" "$SYSTEM/usr/local/lib/docker/cli-plugins"
    for path in "${LINKS[@]}"; do
        if [[ -e $SYSTEM$path ]] && ! is_of_this_home "$SYSTEM$path"; then
            say engine_program_kept "$path"
        elif [[ ! -L $SYSTEM$path ]]; then
            ln -s -- "$ENGINE_HOME/current/bin/${path##*/}" "$SYSTEM$path"
        fi
    done
}

# remove_everything: of a first installation that failed; an operator's own files stay.
remove_everything() {
    local path
    for path in "${LINKS[@]}"; do
        if [[ -L $SYSTEM$path ]] && is_of_this_home "$SYSTEM$path"; then
            rm -- "$SYSTEM$path"
        fi
    done
    if [[ -f $SYSTEM$SETTINGS ]] && are_own_settings; then
        rm -- "$SYSTEM$SETTINGS"
    fi
    if has_systemd; then
        rm -f -- "$SYSTEM$UNIT"
        systemctl daemon-reload
    fi
    rm -rf -- "$SYSTEM$ENGINE_HOME"
}

# forget_old_releases: all but the one in service and the one before it.
forget_old_releases() {
    local folder
    for folder in "$SYSTEM$ENGINE_HOME"/*/; do
        folder=${folder%/}
        if [[ ! -L $folder && ${folder##*/} != "$(linked current)" && ${folder##*/} != "$(linked former)" ]]; then
            rm -rf -- "$folder"
        fi
    done
}
