#!/bin/sh
# Part of bootstrap.sh, which sources it: a docker client that can use BuildKit, an engine that answers.

# The Dockerfiles use RUN --mount without a fetched frontend: Docker 20.10 is the first engine that knows it.
OLDEST_API_MINOR=41
ENGINE_SECONDS=60

# Sets client (a docker that can use BuildKit) and api (version of the engine's API), each empty when there is none.
look_for_engine() {
    client=$(find_client) || client=''
    api=''
    [ -z "$client" ] || api=$(engine_api "$client") || api=''
}

# The first that will do, which is not always the first of that name.
find_client() {
    clients | while read -r docker; do
        if can_build "$docker"; then
            echo "$docker"
            break
        fi
    done | grep .
}

# OFFLINE_DOCKER where it is set, else every docker on PATH.
clients() (
    if [ -n "${OFFLINE_DOCKER-}" ]; then
        echo "$OFFLINE_DOCKER"
        exit 0
    fi
    set -f
    IFS=:
    for folder in $PATH; do
        case $folder in
            /*) [ ! -f "$folder/docker" ] || [ ! -x "$folder/docker" ] || echo "$folder/docker" ;;
        esac
    done
)

# Up to 22 the client has BuildKit built in (DOCKER_BUILDKIT=1), from 23 on it is the buildx plugin. podman's docker
# names itself otherwise and is none.
can_build() {
    version=$("$1" --version 2>/dev/null </dev/null) || return 1
    case $version in
        'Docker version 19.'* | 'Docker version 2'[0-2].*) return 0 ;;
        'Docker version '*) "$1" buildx version >/dev/null 2>&1 </dev/null ;;
        *) return 1 ;;
    esac
}

engine_api() {
    within 20 "$1" version --format '{{if .Server}}{{.Server.APIVersion}}{{end}}' 2>/dev/null </dev/null
}

within() {
    if has timeout; then
        timeout "$@"
    else
        shift
        "$@"
    fi
}

# Does an engine answer any client at all, even one that cannot build?
engine_answers() {
    clients | while read -r docker; do
        if engine_api "$docker"; then
            break
        fi
    done | grep -q .
}

api_is_new_enough() {
    [ "${api#1.}" -ge "$OLDEST_API_MINOR" ]
}

refuse_unfit_named_client() {
    [ -z "${OFFLINE_DOCKER-}" ] || can_build "$OFFLINE_DOCKER" ||
        fail 5 "OFFLINE_DOCKER=$OFFLINE_DOCKER: not a docker client that can use BuildKit" \
            'unset it, or name one with buildx or of version 20.10'
}

refuse_old_engine() {
    api_is_new_enough ||
        fail 5 "the Docker engine is too old: its API is $api, 1.$OLDEST_API_MINOR (Docker 20.10) is needed" \
            'upgrade Docker on the machine whose engine this is'
}

# An engine that somebody named is never started or replaced here.
refuse_silent_given_engine() {
    [ -n "$client" ] && [ -z "$api" ] || return 0
    given=${DOCKER_HOST-}
    if [ -z "$given" ]; then
        context=$("$client" context inspect --format '{{.Name}}' 2>/dev/null) || context=${DOCKER_CONTEXT-default}
        [ "$context" != default ] || return 0
        given="docker context $context"
    fi
    fail 5 "the engine of $given does not answer" "start it, or unset DOCKER_HOST and DOCKER_CONTEXT (docker context use default)"
}

systemd_runs() {
    # "offline": systemctl is there, but another program is PID 1.
    has systemctl && [ "$(systemctl is-system-running 2>/dev/null)" != offline ]
}

start_engine() {
    daemon=''
    if systemd_runs; then
        say 'starting Docker with systemd'
        systemctl enable docker >>"$LOG" 2>&1 || engine_failed
        systemctl start docker >>"$LOG" 2>&1 || engine_failed
    else
        has dockerd || fail 5 'docker is here, but no dockerd to start' 'install the engine, or set DOCKER_HOST to one'
        say "starting dockerd; its log is $STATE/dockerd.log"
        daemon=$(start_by_hand)
    fi
    wait_for_engine
}

# In a session of its own and with every descriptor closed, so that it holds neither the caller's locks nor ours.
start_by_hand() {
    .venv/bin/python -I -c 'import subprocess, sys
log = open(sys.argv[1], "wb")
null = subprocess.DEVNULL
print(subprocess.Popen(["dockerd"], stdin=null, stdout=log, stderr=log, cwd="/", start_new_session=True).pid)' "$STATE/dockerd.log"
}

wait_for_engine() {
    waited=0
    until api=$(engine_api "$client") && [ -n "$api" ]; do
        [ "$waited" -lt "$ENGINE_SECONDS" ] || engine_failed
        [ -z "$daemon" ] || kill -0 "$daemon" 2>/dev/null || engine_failed
        sleep 1
        waited=$((waited + 1))
    done
}

engine_failed() {
    say 'the Docker engine does not answer'
    if [ -n "$daemon" ]; then
        show_end_of "$STATE/dockerd.log"
    else
        journalctl -u docker -n 20 --no-pager 2>&1 | sed 's/^/    /' >&2
    fi
    fail 5 'the engine could not be started' 'mend what its log names, then run this again'
}
