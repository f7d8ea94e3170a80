# What the preflight finds in ports, packet filter, firewall and addresses.

bats_require_minimum_version 1.5.0

setup() {
    # shellcheck source=tests/host/preflight_machine.bash
    source "$BATS_TEST_DIRNAME/preflight_machine.bash"
    good_machine
}

@test "a port that a program uses, and which program that is" {
    echo '   0: 00000000:1F42 00000000:0000 0A 0:0 0:0 0 0 0 4711 1' >>"$PROC/net/tcp"
    mkdir -p "$PROC/77/fd"
    ln -s 'socket:[4711]' "$PROC/77/fd/3"
    echo nginx >"$PROC/77/comm"
    [ "$(findings)" = "refuse port-8002," ]
    [[ $(says port-8002) == *"8002/tcp"*mini-web*"nginx (pid 77)"* ]]
}

@test "a port that a killed engine holds for nobody: what helps is to restart the engine" {
    echo '   0: 00000000:1F42 00000000:0000 0A 0:0 0:0 0 0 0 4711 1' >>"$PROC/net/tcp"
    mkdir -p "$PROC/77/fd"
    ln -s 'socket:[4711]' "$PROC/77/fd/3"
    echo docker-proxy >"$PROC/77/comm"
    [ "$(findings)" = "refuse port-8002," ]
    [[ $(says port-8002) == *"8002/tcp"*"docker-proxy (pid 77)"*"systemctl restart docker"* ]]
}

@test "a port used over IPv6 counts; a connection from such a port does not" {
    echo '   0: 00000000:1F42 0100007F:0050 01 0:0 0:0 0 0 0 4711 1' >>"$PROC/net/tcp"
    [ -z "$(findings)" ]
    echo '   0: 00000000000000000000000000000000:1F42 0:0 0A 0:0 0:0 0 0 0 4711 1' >>"$PROC/net/tcp6"
    [ "$(findings)" = "refuse port-8002," ]
}

@test "a port of another stack's container, whether or not a proxy listens; our own containers do not count" {
    f=$'\x1f'
    answer containers "/other-web${f}other${f}/srv/other${f}8002:80/tcp 8002:80/tcp ${f}"
    [ "$(findings)" = "refuse port-8002," ]
    [[ $(says port-8002) == *"container other-web"* ]]
    answer containers "/mini-web${f}mini${f}/opt/mini${f}8002:8002/tcp ${f}"
    echo '   0: 00000000:1F42 00000000:0000 0A 0:0 0:0 0 0 0 4711 1' >>"$PROC/net/tcp"
    [ -z "$(findings)" ]
}

@test "ports of services outside the mode, and ports that are not published, do not count" {
    printf 'port\tmini-db\t3306\t3306\ttcp\n' >>"$FACTS"
    echo '   0: 00000000:0CEA 00000000:0000 0A 0:0 0:0 0 0 0 4711 1' >>"$PROC/net/tcp"
    [ "$(findings)" = "refuse port-3306," ]
    MODE=single
    [ -z "$(findings)" ]
}

@test "a container of another project under a name of ours: who has it, and --adopt" {
    f=$'\x1f'
    answer containers "/mini-db${f}old-folder${f}/root/old-folder${f}${f}"
    [ "$(findings)" = "refuse container-mini-db," ]
    [[ $(says container-mini-db) == *"old-folder, folder /root/old-folder"*--adopt* ]]
    ADOPT=/root/old-folder
    [ -z "$(findings)" ]
}

@test "no iptables" {
    absent iptables
    [ "$(findings)" = "refuse iptables," ]
}

@test "a kernel that does not forward" {
    echo 0 >"$PROC/sys/net/ipv4/ip_forward"
    [ "$(findings)" = "refuse ip-forward," ]
    [[ $(says ip-forward) == *"sysctl -w"* ]]
}

@test "firewalld: ports that it will be told to open; open ones need no word" {
    answer firewalld 22/tcp
    [ "$(findings)" = "warn firewalld," ]
    [[ $(says firewalld) == *8002/tcp*--no-firewall* ]]
    FIREWALL=no
    preflight
    [[ $(says firewalld) == *"may not reach"* ]]
    answer firewalld 8002/tcp
    [ -z "$(findings)" ]
}

@test "a subnet that a route uses, wider or narrower, and one that is free here" {
    echo 'eth1 00001EAC 00000000 0001 0 0 0 0000FFFF 0 0 0' >>"$PROC/net/route" # 172.30.0.0/16
    [ "$(findings)" = "refuse subnet," ]
    [[ $(says subnet) == *"172.30.77.0/24"*"route:eth1 172.30.0.0/16"*"free here: 172.28.80.0/24." ]]
    fact_is subnet 192.0.0.0/16
    preflight
    [[ $(says subnet) == *"gateway:eth0 192.0.2.1/32; nameserver 192.0.2.53/32; route:eth0 192.0.2.0/24"* ]]
}

@test "a neighbour of the subnet is no overlap" {
    echo 'eth1 004E1EAC 00000000 0001 0 0 0 00FFFFFF 0 0 0' >>"$PROC/net/route" # 172.30.78.0/24
    [ -z "$(findings)" ]
}

@test "a subnet that a connection comes from, though only the default route leads there" {
    echo '   0: 350200C0:0016 094D1EAC:D431 01 0:0 0:0 0 0 0 1 1' >>"$PROC/net/tcp" # 172.30.77.9
    [ "$(findings)" = "refuse subnet," ]
    [[ $(says subnet) == *"connection 172.30.77.9/32"* ]]
}

@test "the same connection as IPv6 sockets show it" {
    echo '   0: 0:16 0000000000000000FFFF0000094D1EAC:D431 01 0:0 0:0 0 0 0 1 1' >>"$PROC/net/tcp6"
    [ "$(findings)" = "refuse subnet," ]
}

@test "a subnet that another network of the engine has; our own does not count" {
    f=$'\x1f'
    answer networks "bridge${f}docker0${f}172.17.0.0/16 " "theirs_default${f}br-1${f}172.30.77.0/24 "
    echo 'br-1 004D1EAC 00000000 0001 0 0 0 00FFFFFF 0 0 0' >>"$PROC/net/route"
    [ "$(findings)" = "refuse subnet," ]
    [[ $(says subnet) == *"docker-network:theirs_default 172.30.77.0/24."* ]]
    answer networks "bridge${f}docker0${f}172.17.0.0/16 " "mini_default${f}br-1${f}172.30.77.0/24 "
    [ -z "$(findings)" ]
}
