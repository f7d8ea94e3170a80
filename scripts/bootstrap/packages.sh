#!/bin/sh
# Part of bootstrap.sh, which sources it: what the distribution brings, by apt or dnf.
# shellcheck disable=SC2154  # manager, client and api are facts that bootstrap.sh keeps

# What is called beside Python and Docker:  command  packages of apt  packages of dnf  who needs it
# (On Ubuntu mmdebstrap needs the keyring, and gpg to read it, before it can check a Debian base.)
tools() {
    cat <<'TABLE'
mmdebstrap      mmdebstrap,debian-archive-keyring,gpg  -                all
ip              iproute2                               iproute          nox
iptables        iptables                               iptables         nox
docker-compose  docker-compose                         -                nox
ssh             openssh-client                         openssh-clients  nox
docker-registry docker-registry                        -                nox
TABLE
}

bring_packages() {
    packages=$(missing_packages "$1")
    if [ -z "$client" ] && engine_answers && ! has_client_packages; then
        fail 5 'an engine answers, but no docker client on PATH can use BuildKit' \
            "install a client with buildx (https://docs.docker.com/go/buildx/), or a docker client of version 20.10"
    fi
    if needs_a_person; then
        print_commands "$packages"
        exit 5
    fi
    [ -n "$packages" ] || return 0
    if ! can_install; then
        say "not here, and some work needs it: $packages"
        [ -z "$manager" ] || printf '  next: sudo %s\n' "$(install_command) $packages" >&2
        return 0
    fi
    refresh_lists
    # With fresh lists the names may be others (a bare image comes with empty ones). A name that no list has is left
    # to the checks that follow: they say what it was needed for.
    # shellcheck disable=SC2046  # a list of plain words
    packages=$(available $(missing_packages "$1") | tr '\n' ' ')
    [ -z "$packages" ] || install_packages "${packages% }"
    look_for_engine
    [ -n "$client" ] || fail 5 'no docker client that can use BuildKit, and the packages here bring none' \
        'configure the docker-ce repository (https://docs.docker.com/engine/install/) and run this again'
}

# Is something missing that this script cannot bring on this machine?
needs_a_person() {
    can_install && return 1
    ! has_python || [ -z "$client" ] || [ -z "$api" ]
}

missing_packages() {
    {
        has_python || python_packages
        if [ -z "$client" ]; then
            if engine_answers; then client_packages; else engine_packages; fi
        elif [ -z "$api" ] && ! has dockerd; then
            engine_packages
        fi
        missing_tools "$1"
    } | tr -s '\n ' ' ' | sed 's/ $//'
}

python_packages() {
    case $manager in
        apt) echo python3 python3-venv ;;
        dnf) echo python3 ;;
    esac
}

# Docker's own packages where somebody configured their repository, else the distribution's. Never both: they
# conflict, and replacing one by the other would stop the engine (install_packages refuses removals, too).
engine_packages() {
    if ce_is_configured; then
        echo docker-ce docker-ce-cli containerd.io docker-buildx-plugin iptables
    elif [ "$manager" = apt ]; then
        # Debian 12 has the client in docker.io, Debian 13 and Ubuntu have packages of their own for some of it.
        echo docker.io iptables ca-certificates
        if [ -n "$(available docker.io)" ]; then available docker-cli docker-buildx; else names_of_release; fi
    elif [ "$manager" = dnf ]; then
        # openEuler's docker-engine is 18.09: too old for this kit.
        available moby moby-engine moby-client docker-buildx moby-buildx
        echo iptables
    fi
}

# Where the package lists are empty (a bare image): what `available` will say once they are fetched.
names_of_release() {
    # shellcheck source=/dev/null
    case $(. /etc/os-release && echo "$ID-${VERSION_CODENAME-}") in
        debian-bookworm) ;;
        ubuntu-*) echo docker-buildx ;;
        *) echo docker-cli docker-buildx ;;
    esac
}

client_packages() {
    if ce_is_configured; then
        echo docker-ce-cli docker-buildx-plugin
    else
        available docker-cli docker-buildx moby-client moby-buildx
    fi
}

has_client_packages() {
    case "$(client_packages)" in
        *buildx*) return 0 ;;
        *) return 1 ;;
    esac
}

ce_is_configured() {
    [ -n "$(available docker-ce)" ] && ! { [ "$manager" = apt ] && dpkg-query -s docker.io >/dev/null 2>&1; }
}

missing_tools() {
    tools | while read -r command apt dnf who; do
        case $who in
            all | "$1") ;;
            *) continue ;;
        esac
        has "$command" && continue
        case $manager in
            apt) names=$apt ;;
            dnf) names=$dnf ;;
            *) names=$command ;;
        esac
        [ "$names" = - ] || echo "$names" | tr ',' ' '
    done
}

# Those of the names that the configured repositories have.
available() {
    case $manager in
        apt) LC_ALL=C apt-cache policy "$@" 2>/dev/null |
            awk '/^[^ ]/ { sub(":$", "", $1); name = $1 } $1 == "Candidate:" && $2 != "(none)" { print name }' ;;
        dnf) for name in "$@"; do
            ! dnf -q list "$name" >/dev/null 2>&1 || echo "$name"
        done ;;
    esac
}

install_command() {
    case $manager in
        apt) echo apt-get install -y --no-remove --no-install-recommends ;;
        dnf) echo dnf install -y ;;
    esac
}

# A third-party list that cannot be fetched must not stop the set-up: the installation itself decides.
refresh_lists() {
    [ "$manager" = apt ] || return 0
    say 'apt-get update'
    apt-get update >"$LOG" 2>&1 || {
        say 'not every package list could be fetched'
        show_end_of "$LOG"
    }
}

install_packages() {
    say "installing $1"
    # shellcheck disable=SC2046,SC2086  # both are lists of plain words
    set -- $(install_command) $1
    [ "$manager" != apt ] || set -- "$@" -o DPkg::Lock::Timeout=300
    export DEBIAN_FRONTEND=noninteractive
    "$@" >>"$LOG" 2>&1 || repair_and "$@" || {
        show_end_of "$LOG"
        fail 6 'the packages could not be installed' "by hand: $*"
    }
}

# A run that was killed inside dpkg leaves packages unpacked that only this configures.
repair_and() {
    [ "$manager" = apt ] && dpkg --configure -a >>"$LOG" 2>&1 && "$@" >>"$LOG" 2>&1
}
