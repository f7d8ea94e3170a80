# shellcheck shell=bash
# Preflight of the engine and of Compose.

ENGINE_VERSION= # what `docker info` says; all empty where no engine answers
ENGINE_ROOT=
ENGINE_DRIVER=
ENGINE_STATUS=            # the storage driver's own facts, `name=value` a line
ENGINE_PATIENCE=30        # seconds for an answer
NEWEST_ENGINE=28          # the newest major version that this kit was tried with
ENGINE_WITHOUT_OLD_API=29 # from here on an engine has no API that Compose 1 speaks
SYSTEM_CONTAINERD=/run/containerd/containerd.sock
OLDEST_COMPOSE_1=1.29.0
OLDEST_COMPOSE_2=2.1.1

preflight_engine() {
    local answer
    ENGINE_VERSION='' ENGINE_STATUS=''
    if ! command -v docker >/dev/null; then
        engine_is_absent
    elif [[ $(docker --version 2>&1) == *[Pp]odman* ]]; then
        refuse pf_podman engine
    elif answer=$(ask_engine) && [[ $answer == *version=[0-9]* ]]; then
        read_engine < <(printf '%s\n' "$answer")
        preflight_engine_range
        preflight_storage
    else
        refuse pf_engine_silent engine "${answer##*$'\n'}"
    fi
}

engine_is_absent() {
    if [[ -d $BUNDLE/engine ]]; then
        refuse pf_engine_absent_bundled engine
    else
        refuse pf_engine_absent engine "$(fact "$FACTS" minimum_engine)"
    fi
}

# ask_engine: what the engine says of itself, `key=value` a line; its complaint, and a failure, when it does not answer.
ask_engine() {
    timeout "$ENGINE_PATIENCE" docker info --format 'version={{.ServerVersion}}
root={{.DockerRootDir}}
driver={{.Driver}}
{{range .DriverStatus}}status={{index . 0}}={{index . 1}}
{{end}}' 2>&1
}

read_engine() {
    local line
    while IFS= read -r line; do
        case $line in
            version=*) ENGINE_VERSION=${line#*=} ;;
            root=*) ENGINE_ROOT=${line#*=} ;;
            driver=*) ENGINE_DRIVER=${line#*=} ;;
            status=*) ENGINE_STATUS+=${line#*=}$'\n' ;;
        esac
    done
}

engine_answers() {
    [[ -n $ENGINE_VERSION ]]
}

# keeps_images_in_containerd: the containerd image store; otherwise the classic one.
keeps_images_in_containerd() {
    [[ $ENGINE_STATUS == *driver-type=io.containerd.snapshotter* ]]
}

preflight_engine_range() {
    local version=$ENGINE_VERSION minimum
    minimum=$(fact "$FACTS" minimum_engine)
    if ! version_at_least "$version" "$minimum"; then
        refuse pf_engine_old engine-range "$version" "$minimum"
    elif version_at_least "$version" "$((NEWEST_ENGINE + 1))"; then
        caution pf_engine_new engine-range "$version" "$NEWEST_ENGINE"
    fi
    if keeps_images_in_containerd && ! version_at_least "$version" 26; then
        caution pf_image_store image-store "$version"
    fi
}

preflight_storage() {
    case $ENGINE_DRIVER in
        overlay2 | overlayfs | btrfs | zfs) ;;
        vfs) caution pf_driver_vfs storage-driver ;;
        *) refuse pf_driver storage-driver "$ENGINE_DRIVER" ;;
    esac
    if [[ $ENGINE_STATUS == *"Supports d_type=false"* ]] || is_xfs_without_ftype "$(storage_root)"; then
        refuse pf_ftype ftype "$(storage_root)"
    fi
}

# storage_root: the folder that takes the images' files. An engine uses the system's containerd where that runs, and
# starts its own otherwise.
storage_root() {
    local configured
    if ! keeps_images_in_containerd; then
        printf '%s' "$ENGINE_ROOT"
    elif [[ ! -e $SYSTEM_CONTAINERD ]]; then
        printf '%s' "$ENGINE_ROOT/containerd/daemon"
    else
        configured=$(sed -n 's/^root *= *"\(.*\)".*/\1/p' "$ETC/containerd/config.toml" 2>/dev/null) || configured=
        printf '%s' "${configured:-/var/lib/containerd}"
    fi
}

# is_xfs_without_ftype FOLDER: xfs_info wants the mount point.
is_xfs_without_ftype() {
    local folder
    folder=$(existing_parent "$1")
    [[ $(stat -f -c %T -- "$folder") == xfs ]] && command -v xfs_info >/dev/null &&
        xfs_info "$(mount_point "$folder")" 2>/dev/null | grep -q 'ftype=0'
}

# preflight_compose: one that is new enough, and the flavour that made the running containers. On stdin what
# compose_versions says.
preflight_compose() {
    local plugin program made
    engine_answers || return 0
    IFS=$'\t' read -r _ plugin
    IFS=$'\t' read -r _ program
    if [[ -z $plugin$program ]]; then
        compose_is_absent
        return
    fi
    preflight_compose_range "$plugin" "$program"
    made=$(containers_of_stack '{{.Label "com.docker.compose.version"}}')
    case $made in
        1.*) [[ $program == 1.* ]] || refuse pf_flavour_1 compose-flavour "$made" "${plugin:-$program}" ;;
        ?*) [[ $plugin$program == *2.* ]] || refuse pf_flavour_2 compose-flavour "$made" "$program" ;;
    esac
}

compose_is_absent() {
    if [[ -d $BUNDLE/engine ]]; then
        refuse pf_compose_absent_bundled compose
    else
        refuse pf_compose_absent compose
    fi
}

# preflight_compose_range PLUGIN PROGRAM: refuses unless one of the two can be used.
preflight_compose_range() {
    local version usable=0
    for version in "$1" "$2"; do
        case $version in
            1.*)
                if version_at_least "$version" "$OLDEST_COMPOSE_1" &&
                    ! version_at_least "$ENGINE_VERSION" "$ENGINE_WITHOUT_OLD_API"; then
                    usable=1
                fi
                ;;
            ?*) if version_at_least "$version" "$OLDEST_COMPOSE_2"; then usable=1; fi ;;
        esac
    done
    if ((! usable)); then
        refuse pf_compose_old compose "${1:-$2}" "$ENGINE_VERSION" "$OLDEST_COMPOSE_1" "$OLDEST_COMPOSE_2"
    fi
}

# compose_versions: of the plugin and of the program, a line each.
compose_versions() {
    printf 'plugin\t%s\n' "$(compose_version docker compose)"
    printf 'program\t%s\n' "$(compose_version docker-compose)"
}

# compose_version COMMAND...: its version, or nothing where it is not there.
compose_version() {
    local version
    if version=$("$@" version --short 2>/dev/null); then
        printf '%s' "${version#v}"
    fi
}

# containers_of_stack FORMAT: one line of the newest container that Compose made for this stack.
containers_of_stack() {
    docker ps --all --filter "label=com.docker.compose.project=$(fact "$FACTS" stack)" --format "$1" | sed -n '1p'
}
