# shellcheck shell=bash
# Preflight of the stack's network: where the company uses the same addresses, they would be cut off from this host.

# Tried in this order when the release's own does not fit.
OTHER_SUBNETS=(172.28.80.0/24 172.30.77.0/24 172.31.213.0/24 10.213.80.0/24 10.87.213.0/24 192.168.213.0/24)

preflight_subnet() {
    local subnet users other free=-
    subnet=$(fact "$FACTS" subnet)
    users=$(users_of_subnet "$subnet")
    if [[ -z $users ]]; then
        return 0
    fi
    for other in "${OTHER_SUBNETS[@]}"; do
        if [[ $free == - && -z $(users_of_subnet "$other") ]]; then
            free=$other
        fi
    done
    refuse pf_subnet subnet "$subnet" "$users" "$free"
}

# users_of_subnet SUBNET: whoever uses some of these addresses, for people; nothing where they are free, or our network's.
users_of_subnet() {
    local network='' name bridge address first=1
    network=$(own_network)
    if [[ " $network " == *" $1 "* ]]; then
        return 0
    fi
    while IFS= read -r name; do
        ((first)) || printf '; '
        printf '%s' "$name"
        first=0
    done < <(
        while read -r address name bridge; do
            if overlap "$1" "$address"; then
                printf '%s %s\n' "$name" "$address"
            fi
        done < <(used_addresses) | sort -u
    )
}

# own_network: the subnets of the stack's own network.
own_network() {
    if engine_answers; then
        networks_of_engine | awk -F '\x1f' -v name="$(fact "$FACTS" stack)_default" '$1 == name { print $3 }'
    fi
}

# used_addresses: `subnet who` of routes, of the engine's networks, of name servers and of connections that are open.
used_addresses() {
    local name bridge subnets subnet bridges=' '
    if engine_answers; then
        while IFS=$'\x1f' read -r name bridge subnets; do
            bridges+="$bridge "
            for subnet in $subnets; do
                if [[ $name != "$(fact "$FACTS" stack)_default" && $subnet != *:* ]]; then
                    printf '%s docker-network:%s\n' "$subnet" "$name"
                fi
            done
        done < <(networks_of_engine)
    fi
    routes "$bridges"
    if [[ -f $ETC/resolv.conf ]]; then
        sed -n 's/^nameserver  *\([0-9.]*\) *$/\1\/32 nameserver/p' "$ETC/resolv.conf"
    fi
    peers
}

# networks_of_engine: name, bridge and subnets of each, fields apart by \x1f.
networks_of_engine() {
    local f=$'\x1f'
    local -a ids
    mapfile -t ids < <(docker network ls --quiet)
    docker network inspect --format \
        "{{.Name}}$f{{with index .Options \"com.docker.network.bridge.name\"}}{{.}}{{else}}br-{{printf \"%.12s\" .Id}}{{end}}$f{{range .IPAM.Config}}{{.Subnet}} {{end}}" \
        ${ids[@]+"${ids[@]}"}
}

# routes BRIDGES: `subnet route:interface` of the kernel's IPv4 routes but the default one and those to these bridges;
# with the gateways that they go by.
routes() {
    local interface destination gateway mask
    while read -r interface destination gateway _ _ _ _ mask _; do
        if [[ $1 == *" $interface "* || $interface == Iface ]]; then
            continue
        fi
        if [[ $mask != 00000000 ]]; then
            printf '%s/%d route:%s\n' "$(hex_address "$destination")" "$(bits "$mask")" "$interface"
        fi
        if [[ $gateway != 00000000 ]]; then
            printf '%s/32 gateway:%s\n' "$(hex_address "$gateway")" "$interface"
        fi
    done <"$PROC/net/route"
}

# peers: who this host is connected to, the operator's own ssh above all; a company network behind the default route
# shows nowhere else.
peers() {
    local hex
    while read -r hex; do
        printf '%s/32 connection\n' "$(hex_address "$hex")"
    done < <(
        cat "$PROC/net/tcp" "$PROC/net/tcp6" 2>/dev/null |
            awk '$4 == "01" { peer = substr($3, 1, length($3) - 5)
                 if (length(peer) == 8 || sub(/^0000000000000000FFFF0000/, "", peer)) print peer }' | sort -u
    )
}

# hex_address HEX: the kernel's least byte first, as a.b.c.d.
hex_address() {
    printf '%d.%d.%d.%d' "0x${1:6:2}" "0x${1:4:2}" "0x${1:2:2}" "0x${1:0:2}"
}

# bits MASK: how many of a mask's bits are set, from its hex digits; a mask has no others than these.
bits() {
    local place count=0
    for place in 0 1 2 3 4 5 6 7; do
        case ${1:place:1} in
            F) count=$((count + 4)) ;;
            E) count=$((count + 3)) ;;
            C) count=$((count + 2)) ;;
            8) count=$((count + 1)) ;;
        esac
    done
    printf '%d' "$count"
}

# overlap SUBNET SUBNET: whether two `a.b.c.d/n` share an address.
overlap() {
    local shorter=${1#*/} one other
    if ((${2#*/} < shorter)); then
        shorter=${2#*/}
    fi
    one=$(address_number "${1%/*}")
    other=$(address_number "${2%/*}")
    ((one >> (32 - shorter) == other >> (32 - shorter)))
}

address_number() {
    local a b c d
    IFS=. read -r a b c d < <(printf '%s\n' "$1")
    printf '%d' $((a << 24 | b << 16 | c << 8 | d))
}
