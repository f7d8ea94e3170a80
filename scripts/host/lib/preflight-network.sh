# shellcheck shell=bash
# Preflight of ports, packet filter and firewall.

CONTAINERS= # what all_containers found; empty where no engine answers

preflight_network() {
    CONTAINERS=
    if engine_answers; then
        CONTAINERS=$(all_containers)
        preflight_names
    fi
    preflight_ports
    if ! command -v iptables >/dev/null; then
        refuse pf_iptables iptables
    fi
    if engine_answers && [[ $(cat "$PROC/sys/net/ipv4/ip_forward") != 1 ]]; then
        refuse pf_forward ip-forward
    fi
    preflight_firewall
}

# all_containers: name, Compose project, its folder, `host port/protocol` of what it publishes, and `source:target` of
# its mounts, a line each, fields apart by \x1f (an empty field counts), lists by blanks.
all_containers() {
    local f=$'\x1f' label='index .Config.Labels "com.docker.compose.project'
    local -a ids
    mapfile -t ids < <(docker ps --all --quiet)
    if ((${#ids[@]})); then
        docker inspect --format "{{.Name}}$f{{$label\"}}$f{{$label.working_dir\"}}$f{{range \$port, \$at := .NetworkSettings.Ports}}{{range \$at}}{{.HostPort}}:{{\$port}} {{end}}{{end}}$f{{range .Mounts}}{{.Source}}:{{.Destination}} {{end}}" ${ids[@]+"${ids[@]}"}
    fi
}

# preflight_names: a container of another project that has a name of ours would stop the deploy half-way.
preflight_names() {
    local name project folder stack
    stack=$(fact "$FACTS" stack)
    if [[ -n $ADOPT ]]; then
        return
    fi
    while IFS=$'\x1f' read -r name project folder _; do
        if is_name_of_ours "${name#/}" && [[ $project != "$stack" ]]; then
            refuse pf_name "container-${name#/}" "${name#/}" "${project:--}" "${folder:--}"
        fi
    done < <(printf '%s' "${CONTAINERS:+$CONTAINERS$'\n'}")
}

is_name_of_ours() {
    local service
    while IFS=$'\t' read -r service _; do
        if [[ $service == "$1" ]]; then
            return 0
        fi
    done < <(records "$FACTS" service)
    return 1
}

# preflight_ports: what the mode publishes must be free, or be our own stack's. An engine 20.10 that was killed while a
# container started gives its ports out again to nobody at its next start, and only another start takes them back.
preflight_ports() {
    local service host protocol user
    while IFS=$'\t' read -r service host _ protocol; do
        if [[ $host != - ]] && in_mode "$service"; then
            user=$(port_user "$host" "$protocol")
            if [[ $user == 'docker-proxy ('* ]]; then
                refuse pf_port_stale "port-$host" "$host/$protocol" "$service" "$user"
            elif [[ -n $user ]]; then
                refuse pf_port "port-$host" "$host/$protocol" "$service" "$user"
            fi
        fi
    done < <(records "$FACTS" port)
}

# port_user PORT PROTOCOL: who has it, for people; nothing where it is free or ours.
port_user() {
    local holder inode
    holder=$(container_at "$1" "$2")
    case $holder in
        ours) return ;;
        ?*)
            printf 'container %s' "$holder"
            return
            ;;
    esac
    inode=$(listening_inode "$1" "$2")
    if [[ -n $inode ]]; then
        process_of "$inode"
    fi
}

# container_at PORT PROTOCOL: the name of the container that publishes it, or `ours`.
container_at() {
    local name project ports stack
    stack=$(fact "$FACTS" stack)
    while IFS=$'\x1f' read -r name project _ ports _; do
        if [[ " $ports" =~ \ $1:[0-9]+/$2\  ]]; then
            if [[ $project == "$stack" ]] || is_name_of_ours "${name#/}"; then
                name=/ours
            fi
            printf '%s' "${name#/}"
            return
        fi
    done < <(printf '%s' "${CONTAINERS:+$CONTAINERS$'\n'}")
}

# listening_inode PORT PROTOCOL: of the socket that waits there; the tables are the kernel's, so no tool must be there.
listening_inode() {
    local state=0A
    if [[ $2 == udp ]]; then
        state=07
    fi
    cat "$PROC/net/$2" "$PROC/net/${2}6" 2>/dev/null |
        awk -v port="$(printf ':%04X' "$1")" -v state="$state" \
            '!found && $4 == state && substr($2, length($2) - 4) == port { print $10; found = 1 }'
}

# process_of INODE: `name (pid)` of a process that holds the socket.
process_of() {
    local holder pid
    holder=$(find "$PROC"/[0-9]*/fd -lname "socket:\[$1\]" -print -quit 2>/dev/null) || holder=
    pid=${holder#"$PROC"/}
    pid=${pid%%/*}
    if [[ -n $pid ]]; then
        printf '%s (pid %s)' "$(cat "$PROC/$pid/comm")" "$pid"
    else
        printf '?'
    fi
}

# preflight_firewall: firewalld does not stop published ports on every engine; open ones are right on all.
preflight_firewall() {
    local service host protocol closed=
    if ! command -v firewall-cmd >/dev/null || ! firewall-cmd --quiet --state 2>/dev/null; then
        return 0
    fi
    while IFS=$'\t' read -r service host _ protocol; do
        if [[ $host != - ]] && in_mode "$service" && ! firewall-cmd --quiet --query-port="$host/$protocol"; then
            closed+=" $host/$protocol"
        fi
    done < <(records "$FACTS" port)
    if [[ -z $closed ]]; then
        return 0
    elif [[ $FIREWALL == no ]]; then
        caution pf_firewall_left firewalld "${closed# }"
    else
        caution pf_firewall_opened firewalld "${closed# }"
    fi
}
