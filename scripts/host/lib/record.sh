# shellcheck shell=bash
# Write down what is in service, give images their familiar tags, open the firewall, let go of what nothing needs.

KEPT_RELEASES=3
KEPT_LOG_DAYS=90

record_release() {
    local id current former_mode former mark
    id=$(fact "$FACTS" id)
    mark=$(exchange_mark)
    keep_proved
    current=$(state_get current) former_mode=$(state_get mode)
    if [[ -n $current && $current != "$id" && $ACTION == deploy ]]; then
        offer_defaults "$current"
    fi
    if [[ $current == "$id" || -z $current ]]; then
        former=$(state_get former)
        state_set "current=$id" "mode=$MODE" "former=$former" "history=$(history_with "$id")" deploy_backup= ${mark:+"$mark"}
    else
        state_set "current=$id" "mode=$MODE" "former=$current" "former_mode=$former_mode" "history=$(history_with "$id")" \
            deploy_backup= ${mark:+"$mark"}
    fi
    end_exchange
    adoption_done
    open_firewall
    tag_familiarly
    prune_releases
}

# history_with ID: it comes first.
history_with() {
    local old list=$1
    for old in $(state_get history); do
        [[ $old == "$1" ]] || list+=" $old"
    done
    printf '%s' "$list"
}

# tag_familiarly: for people; nothing of the kit's looks at these tags.
tag_familiarly() {
    local tag familiar listed
    listed=$(docker image ls --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}')
    while IFS=$'\t' read -r _ tag familiar _; do
        if [[ $familiar != - && $(listed_id "$tag") != "$(listed_id "$familiar")" ]]; then
            docker tag "$tag" "$familiar"
        fi
    done < <(records "$FACTS" image)
}

# listed_id TAG: by what tag_familiarly has listed.
listed_id() {
    awk -v tag="$1" '$1 == tag { print $2 }' <<<"$listed"
}

# open_firewall: now and for the next start, never by a reload, which drops the engine's own chains.
open_firewall() {
    local service host protocol
    if [[ $FIREWALL == no ]] || ! command -v firewall-cmd >/dev/null || ! firewall-cmd --quiet --state; then
        return 0
    fi
    while IFS=$'\t' read -r service host _ protocol; do
        if [[ $host == - ]] || ! has_service "$FACTS" "$MODE" "$service"; then
            continue
        fi
        if ! firewall-cmd --quiet --query-port="$host/$protocol"; then
            firewall-cmd --quiet --add-port="$host/$protocol"
            say firewall_opened "$host/$protocol"
        fi
        firewall-cmd --quiet --permanent --add-port="$host/$protocol"
    done < <(records "$FACTS" port)
}

# prune_releases: keeps the one in service, the former one, and of those that were in service the newest; with them their
# payload and images, and whatever a container uses.
prune_releases() {
    local kept place
    kept=$(kept_releases)
    for place in "$ROOT"/releases/*; do
        if [[ -d $place && " $kept " != *" ${place##*/} "* ]]; then
            say release_pruned "${place##*/}"
            rm -rf -- "$place"
        fi
    done
    prune_payload
    prune_images
    prune_logs
}

kept_releases() {
    local id count=0 kept=
    for id in $(state_get current) $(state_get former) $(state_get history); do
        if ((count < KEPT_RELEASES)) && [[ " $kept " != *" $id "* && -d $ROOT/releases/$id ]]; then
            kept+=" $id"
            count=$((count + 1))
        fi
    done
    printf '%s' "${kept# }"
}

prune_payload() {
    local place needed mounted=''
    needed=$(
        for place in "$ROOT"/releases/*/scripts/facts.tsv; do
            payload_folders "$place" | cut -d ' ' -f 1
        done
    )
    for place in "$ROOT"/payload/*/; do
        place=${place%/}
        if [[ ! -d $place ]] || grep -qxF -- "payload/${place##*/}" <<<"$needed"; then
            continue
        fi
        mounted=${mounted:-$(mounted_sources)}
        if ! grep -qF -- "$place/" <<<"$mounted"; then
            rm -rf -- "$place" "$place.shipped" "$(proved_place "payload/${place##*/}")"
        fi
    done
}

# mounted_sources: of every container on this host, running or not, each with a slash behind it.
mounted_sources() {
    docker ps --all --quiet | xargs -r docker inspect --format '{{range .Mounts}}{{println .Source}}{{end}}' | sed 's|$|/|'
}

# prune_logs: of runs and of services that failed, when nobody can be looking for the reason any more. audit.log stays.
prune_logs() {
    [[ ! -d $ROOT/logs ]] || find "$ROOT/logs" -maxdepth 1 -type f -mtime "+$KEPT_LOG_DAYS" -delete
}

prune_images() {
    local tag needed used=''
    needed=$(cat "$ROOT"/releases/*/scripts/facts.tsv | awk -F '\t' '$1 == "image" { print $3 }')
    while IFS= read -r tag; do
        if [[ ! $tag =~ :[0-9a-f]{12}$ ]] || grep -qxF -- "$tag" <<<"$needed"; then
            continue
        fi
        used=${used:-$(docker ps --all --format '{{.Image}}')}
        if ! grep -qxF -- "$tag" <<<"$used"; then
            docker image rm "$tag" >/dev/null
        fi
    done < <(docker image ls --format '{{.Repository}}:{{.Tag}}' "$STACK/*")
}
