# shellcheck shell=bash
# What `status` tells, each thing gathered as lines of tab-separated fields and then written for people or as JSON.

# status_services: service, image, state, health, restarts, since when, what is wrong, ports; `-` where there is nothing.
status_services() {
    local service flaw
    local -a services
    if [[ -z $(state_get current) ]]; then
        return 0
    fi
    mapfile -t services < <(services_of "$FACTS" "$MODE")
    look ${services[@]+"${services[@]}"}
    for service in ${services[@]+"${services[@]}"}; do
        flaw=$(flaw_of_service "$service" | tr '\t\n' '  ')
        awk -v OFS='\t' -v name="/$service" -v rest="${flaw:--}"$'\t'"$(ports_of "$service")" '
            $1 == name { print substr($1, 2), $6, $2, $3, $4, $5, rest; found = 1 }
            END { if (!found) print substr(name, 2), "-", "absent", "-", 0, "-", rest }' <<<"$SEEN"
    done
}

# ports_of SERVICE: `8000/tcp,…` on the host.
ports_of() {
    records "$FACTS" port | awk -F '\t' -v service="$1" '$1 == service && $2 != "-" { list = list sep $2 "/" $4; sep = "," } END { print (list == "" ? "-" : list) }'
}

# status_disk: what for, folder, free bytes, size in bytes.
status_disk() {
    local data
    data=$(docker info --format '{{.DockerRootDir}}' 2>/dev/null) || data=
    df_line root "$ROOT"
    if [[ -n $data ]]; then
        df_line engine "$data"
    fi
}

df_line() {
    printf '%s\t%s\t%s\n' "$1" "$2" "$(df -P -B 1 -- "$2" | awk -v OFS='\t' 'NR == 2 { print $4, $2 }')"
}

# status_drift: service, path below its payload, whether it was edited, added or deleted on this host.
status_drift() {
    local folder service
    while read -r folder service; do
        if [[ -f $ROOT/$folder.shipped ]]; then
            compare_sums "$ROOT/$folder.shipped" <(hot_sums "$FACTS" "$folder" "$ROOT/$folder") |
                sed "s|^|$service\t|" | sort
        fi
    done < <(payload_folders "$FACTS")
}

# status_missing: images of the kept releases that the engine lacks: release, tag.
status_missing() {
    local id tag
    for id in $(kept_releases); do
        while IFS= read -r tag; do
            docker image inspect "$tag" >/dev/null 2>&1 || printf '%s\t%s\n' "$id" "$tag"
        done < <(records "$ROOT/releases/$id/scripts/facts.tsv" image | cut -f 2)
    done
}

# at_work: whether somebody changes this host right now.
at_work() {
    ! flock -n "$ROOT/lock" true
}

status_text() {
    local service image state health restarts started flaw ports path free size change id tag
    say status_release "$(state_get current)" "$(state_get mode)" "$(state_get former)" "$ROOT"
    if at_work; then
        say status_at_work "$(state_get action)" "$(state_get target)" "$(state_get step)" "$(state_get who)" "$(state_get started)"
    elif [[ $(state_get result) == running ]]; then
        say status_killed "$(state_get action)" "$(state_get target)" "$(state_get step)"
    else
        say status_last "$(state_get action)" "$(state_get target)" "$(state_get started)" "$(state_get result)"
    fi
    while IFS=$'\t' read -r service image state health restarts started flaw ports; do
        printf '%-28s %-9s %-10s %-22s %s\n' "$service" "$state" "$health" "$ports" "${flaw/#%-/ok}"
    done < <(status_services)
    while IFS=$'\t' read -r what path free size; do
        say status_disk "$path" "$(human_bytes "$free")" "$(human_bytes "$size")"
    done < <(status_disk)
    while IFS=$'\t' read -r service path change; do
        say status_drift "$service" "$path" "$change"
    done < <(status_drift)
    if [[ -n $(state_get hot) ]]; then
        warn status_hot "$(state_get hot)"
    fi
    while IFS=$'\t' read -r id tag; do
        warn status_missing "$tag" "$id"
    done < <(status_missing)
    if [[ -n $(state_get current) ]]; then
        status_backup_text
    fi
    status_restore_text
}

status_json() {
    local services
    services=$(status_services)
    printf '{"root":%s,"release":%s,"mode":%s,"former":%s,"releases":%s,"healthy":%s,"at_work":%s,"last":%s,"services":%s,"disk":%s,"drift":%s,"hot_unfinished":%s,"missing_images":%s%s%s}\n' \
        "$(json_text "$ROOT")" "$(json_text "$(state_get current)")" "$(json_text "$(state_get mode)")" \
        "$(json_text "$(state_get former)")" "$(kept_releases | tr ' ' '\n' | json_texts)" \
        "$(is_healthy "$services")" "$(if at_work; then printf true; else printf false; fi)" "$(last_json)" \
        "$(services_json <<<"$services")" "$(disk_json)" "$(drift_json)" "$(hot_json)" "$(missing_json)" \
        "$(status_backup_json)" "$(status_restore_json)"
}

# is_healthy SERVICES: there is a release in service, and nothing is wrong with any of its services.
is_healthy() {
    if [[ -n $1 ]] && awk -F '\t' '$7 != "-" { exit 1 }' <<<"$1"; then
        printf true
    else
        printf false
    fi
}

last_json() {
    local key sep=''
    printf '{'
    for key in action target result exit step who from started log; do
        printf '%s"%s":%s' "$sep" "$key" "$(json_text "$(state_get "$key")")"
        sep=,
    done
    printf '}'
}

services_json() {
    local service image state health restarts started flaw ports
    while IFS=$'\t' read -r service image state health restarts started flaw ports; do
        [[ -n $service ]] || continue
        printf '{"name":%s,"image":%s,"state":%s,"health":%s,"restarts":%d,"started":%s,"flaw":%s,"ports":%s}\n' \
            "$(json_text "$service")" "$(json_text "$image")" "$(json_text "$state")" "$(json_text "$health")" "$restarts" \
            "$(json_text "$started")" "$(json_text "${flaw#-}")" "$(tr ',' '\n' <<<"${ports#-}" | sed '/^$/d' | json_texts)"
    done | json_list
}

disk_json() {
    local what path free size
    while IFS=$'\t' read -r what path free size; do
        printf '{"what":%s,"path":%s,"free":%d,"size":%d}\n' "$(json_text "$what")" "$(json_text "$path")" "$free" "$size"
    done < <(status_disk) | json_list
}

drift_json() {
    local service path change
    while IFS=$'\t' read -r service path change; do
        printf '{"service":%s,"path":%s,"change":%s}\n' "$(json_text "$service")" "$(json_text "$path")" "$(json_text "$change")"
    done < <(status_drift) | json_list
}

# hot_json: the services that a killed hot update left, perhaps on other files than are live.
hot_json() {
    state_get hot | tr ' ' '\n' | sed '/^$/d' | json_texts
}

missing_json() {
    local id tag
    while IFS=$'\t' read -r id tag; do
        printf '{"release":%s,"image":%s}\n' "$(json_text "$id")" "$(json_text "$tag")"
    done < <(status_missing) | json_list
}
