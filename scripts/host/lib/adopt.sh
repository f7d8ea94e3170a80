# shellcheck shell=bash disable=SC2153 # the entry scripts and the library share globals
# Take over a stack that was laid out by hand: its containers are pinned, stopped and renamed, its data is copied and
# compared; the old folder is left as it is. $ROOT/adopted says which containers those are, a line each: service, id, restart
# policy, yes if it ran. It is there from before the first of them stops until the release is in service or taken back.

OLD_NAME=-before-adoption # what their names end with meanwhile

# old_containers: the same lines of those that have a name of ours and are not ours.
old_containers() {
    local service id
    for service in $(records "$FACTS" service | cut -f 1); do
        id=$(docker ps --all --no-trunc --quiet --filter "name=^/$service\$")
        if [[ -n $id ]]; then
            docker inspect --format "$service	{{.ID}}	{{.HostConfig.RestartPolicy.Name}}	{{if .State.Running}}yes{{else}}no{{end}}" "$id"
        fi
    done
}

# adopted: of this adoption, also while it is only planned.
adopted() {
    if [[ -f $ROOT/adopted ]]; then
        cat "$ROOT/adopted"
    else
        old_containers
    fi
}

# preflight_adopt: what would stop it half-way.
preflight_adopt() {
    local project copies
    if [[ -z $ADOPT ]]; then
        return 0
    fi
    project=$(adopted | cut -f 2 | xargs -r docker inspect --format '{{index .Config.Labels "com.docker.compose.project"}}' | sort -u)
    if [[ -z $(adopted) ]]; then
        refuse pf_adopt_none adopt "$ADOPT"
    elif grep -qxF -- "$STACK" <<<"$project"; then
        refuse pf_adopt_same adopt "$STACK"
    fi
    if [[ -n $(state_get current) ]]; then
        refuse pf_adopt_serving adopt "$(state_get current)"
    fi
    copies=$(copies_of_old)
    preflight_adopt_room "$copies"
}

# preflight_adopt_room COPIES: for a second copy of all data; what is there already stays what it is.
preflight_adopt_room() {
    local from to kilobytes need=0 free
    while IFS=$'\t' read -r from to; do
        if [[ -e $to && " $(state_get adopt_copied) " != *" ${to#"$ROOT"/} "* ]] && [[ -n $(find "$to" -type f -print -quit) ]]; then
            refuse pf_adopt_occupied adopt "$to"
        fi
        kilobytes=$(du -sk -- "$from" | cut -f 1)
        need=$((need + kilobytes))
    done < <(printf '%s' "${1:+$1$'\n'}")
    free=$(df -P -- "$(existing_parent "$ROOT")" | awk 'NR == 2 { print $4 }')
    if ((free < need)); then
        refuse pf_adopt_room disk-adopt "$ROOT" "$(human_bytes $((free * 1024)))" "$(human_bytes $((need * 1024)))" "$(human_bytes $(((need - free) * 1024)))"
    fi
}

# copies_of_old: from and to of each folder that the host owns: where the old container mounts it, else in the old folder.
copies_of_old() {
    local service bundle source target id from
    while IFS=$'\t' read -r service _ bundle source target _; do
        id=$(adopted | awk -F '\t' -v service="$service" '$1 == service { print $2 }')
        from=
        if [[ -n $id ]]; then
            from=$(docker inspect --format '{{range .Mounts}}{{.Destination}}	{{.Source}}{{println}}{{end}}' "$id" |
                awk -F '\t' -v target="$target" '$1 == target { print $2 }')
        fi
        from=${from:-$ADOPT/$bundle}
        if [[ -e $from ]]; then
            printf '%s\t%s\n' "$from" "$ROOT/$source"
        fi
    done < <(records "$FACTS" mount | awk -F '\t' '$2 == "host"')
}

# adopt_old: the step; nothing where nothing is adopted.
adopt_old() {
    local from to
    if [[ -z $ADOPT ]]; then
        return 0
    fi
    state_set "adopt=$ADOPT"
    if [[ ! -f $ROOT/adopted ]]; then
        replace_file "$ROOT/adopted" 0600 old_containers
    fi
    put_aside
    while IFS=$'\t' read -r from to; do
        copy_verified "$from" "$to"
    done < <(copies_of_old)
}

# put_aside: the last started first. Its image gets a tag of its own, as the familiar one will be another's.
put_aside() {
    local service id image
    while IFS=$'\t' read -r service id _ _; do
        say adopt_stop "$service"
        image=$(docker inspect --format '{{.Image}}' "$id")
        docker tag "$image" "$STACK-adopted/$service:${image:7:12}"
        docker update --restart=no "$id" >/dev/null
        docker stop --time "$(stop_grace "$service")" "$id" >/dev/null
        if [[ $(docker inspect --format '{{.Name}}' "$id") != "/$service$OLD_NAME" ]]; then
            docker rename "$id" "$service$OLD_NAME"
        fi
    done < <(tac "$ROOT/adopted")
}

# copy_verified FROM TO: with owners, modes and times; under its name only once both hold the same bytes.
copy_verified() {
    local partial=${2%/*}/.adopt-${2##*/} name=${2#"$ROOT"/} copied
    copied=$(state_get adopt_copied)
    if [[ -e $2 && " $copied " == *" $name "* ]]; then
        return
    fi
    say adopt_copy "$1" "$2" "$(human_bytes $(($(du -sk -- "$1" | cut -f 1) * 1024)))"
    rm -rf -- "$partial"
    make_parents "$2"
    cp -a -- "$1" "$partial"
    if [[ $(tree_sums "$1") != "$(tree_sums "$partial")" ]]; then
        stop_with adopt_differs "$1" "$partial"
    fi
    label_for_containers "$partial"
    sync
    state_set "adopt_copied=${copied:+$copied }$name"
    if [[ -d $2 ]]; then rmdir -- "$2"; fi # an empty one of an earlier try
    mv -T -- "$partial" "$2"
}

# tree_sums PATH: of a file or a folder; one line that any byte, name or link in it changes.
tree_sums() {
    if [[ -f $1 ]]; then
        sha256sum <"$1"
        return
    fi
    (
        cd -- "$1" || exit
        {
            find . -printf '%y %P %l\n' | sort
            find . -type f -print0 | sort -z | xargs -0 -r sha256sum --
        } | sha256sum
    )
}

# adopted_secret NAME: what the old containers were given under that name; quoted as Compose reads it.
adopted_secret() {
    local value
    if [[ ! -f $ROOT/adopted ]]; then
        return
    fi
    value=$(cut -f 2 "$ROOT/adopted" | xargs -r docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' |
        sed -n "s/^$1=//p" | sed -n '1p')
    if [[ $value == *"'"* ]]; then
        stop_with adopt_secret "$1"
    elif [[ $value =~ ^[A-Za-z0-9]*$ ]]; then
        printf '%s' "$value"
    else
        printf "'%s'" "$value"
    fi
}

# adoption_done: the old containers stay, stopped, under their other names.
adoption_done() {
    if [[ -f $ROOT/adopted ]]; then
        mv -T -- "$ROOT/adopted" "$ROOT/adopted-$(date -u +%Y%m%d-%H%M%S)"
        say adopt_done "$OLD_NAME" "$(state_get adopt)"
        state_set adopt= adopt_copied=
    fi
}

# give_back: the old stack as it was; what was copied is kept apart, as the old data goes on without it.
give_back() {
    local service id policy ran kept
    remove_stack
    while IFS=$'\t' read -r service id policy ran; do
        if [[ $(docker inspect --format '{{.Name}}' "$id") != "/$service" ]]; then
            docker rename "$id" "$service"
        fi
        docker update --restart="${policy:-no}" "$id" >/dev/null
        if [[ $ran == yes ]]; then
            docker start "$id" >/dev/null
        fi
    done < <(in_start_order "$ROOT/adopted")
    await_old
    kept=$ROOT/adoption-$(date -u +%Y%m%d-%H%M%S)
    mv -T -- "$ROOT/shared" "$kept"
    mkdir -m 0755 -- "$ROOT/shared"
    say adopt_kept "$kept"
    rm -f -- "$ROOT/current" "$ROOT/adopted"
    state_set adopt= adopt_copied=
}

# in_start_order FILE: its lines, by the order that the release starts services in.
in_start_order() {
    local service
    for service in $(records "$FACTS" service | cut -f 1); do
        awk -F '\t' -v service="$service" '$1 == service' "$1"
    done
}

# await_old: what ran before runs again, and goes on running.
await_old() {
    local service ran deadline=$((SECONDS + $(start_limit))) flaw
    while IFS=$'\t' read -r service _ _ ran; do
        if [[ $ran == yes ]]; then
            flaw=begun
            while [[ -n $flaw ]]; do
                look "$service"
                flaw=$(flaw_of_container "$service" '')
                if [[ -n $flaw ]] && ((SECONDS >= deadline)); then
                    stop_with health_failed "$service" "$flaw"
                fi
                sleep "$PAUSE"
            done
        fi
    done <"$ROOT/adopted"
}
