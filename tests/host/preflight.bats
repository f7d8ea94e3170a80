# What the preflight finds on a host, with which words, and that it changes nothing.

bats_require_minimum_version 1.5.0

setup() {
    # shellcheck source=tests/host/preflight_machine.bash
    source "$BATS_TEST_DIRNAME/preflight_machine.bash"
    good_machine
}

@test "a good host: no finding" {
    [ -z "$(findings)" ]
}

@test "everything at once, not the first problem only" {
    answer uid 1000
    answer machine aarch64
    answer nproc 1
    fact_is subnet 192.0.2.0/28
    [ "$(findings)" = "refuse root,refuse arch,warn cpus,refuse subnet," ]
}

@test "nothing below the root, the bundle or the machine changes" {
    before=$(find "$BATS_TEST_TMPDIR" -printf '%P %s %T@ %m\n' | LC_ALL=C sort)
    answer info && preflight
    answer info version=20.10.24 root=/var/lib/docker driver=overlay2 && preflight
    rm "$FINDINGS"
    after=$(find "$BATS_TEST_TMPDIR" -path '*/answers' -prune -o -path "$BATS_TEST_TMPDIR" -prune -o -printf '%P %s %T@ %m\n' | LC_ALL=C sort)
    [ -z "$(comm -13 <(echo "$before") <(echo "$after"))" ]
}

@test "the sentences come in Chinese too" {
    answer uid 1000
    use_language zh
    preflight
    [[ $(says root) == *sudo* && $(says root) == 当前不是* ]]
}

@test "a finding is one line, whatever a program said" {
    answer docker-version 'Docker version 20.10.24'
    answer info
    preflight
    [ "$(wc -l <"$FINDINGS")" -eq 1 ]
}

@test "only what could go on can be accepted" {
    for id in root arch bash tools engine compose mode; do
        if may_be_accepted "$id"; then return 1; fi
    done
    may_be_accepted disk-root
    may_be_accepted port-8002
}

# --- the machine ---

@test "another architecture than the images'" {
    answer machine aarch64
    [ "$(findings)" = "refuse arch," ]
    [[ $(says arch) == *aarch64*x86_64* ]]
}

@test "a kernel older than 3.10; 3.10 itself will do" {
    answer kernel 2.6.32-754.el6
    [ "$(findings)" = "refuse kernel," ]
    answer kernel 3.10.0-1160.el7.x86_64
    [ -z "$(findings)" ]
}

@test "programs that the scripts need and that are not here, all named" {
    TOOLS+=(no-such-tool neither-this)
    [ "$(findings)" = "refuse tools," ]
    [[ $(says tools) == *"no-such-tool neither-this"* ]]
}

@test "too little memory and too few CPUs are warnings with the missing amount" {
    fact_is memory 8g
    fact_is cpus 6
    [ "$(findings)" = "warn memory,warn cpus," ]
    [[ $(says memory) == *"4.0 GB here, 8.5 GB wanted, 4.4 GB less"* ]]
    [[ $(says cpus) == *"4 here, 6 wanted, 2 less"* ]]
}

@test "a machine sold with that much memory shows a little less" {
    echo 'MemTotal:        1980000 kB' >"$PROC/meminfo"
    [ -z "$(findings)" ]
}

@test "CPU instructions that an image needs are named when they lack" {
    echo 'flags		: fpu cx16 lahf_lm popcnt sse4_1 ssse3' >"$PROC/cpuinfo"
    [ "$(findings)" = "refuse cpu-level," ]
    [[ $(says cpu-level) == *"x86-64-v2"*"lacks: sse4_2."*host* ]]
    fact_is cpu_level x86-64
    [ -z "$(findings)" ]
    fact_is cpu_level x86-64-v3
    [ "$(findings)" = "refuse cpu-level," ]
    [[ $(says cpu-level) == *"lacks: sse4_2 abm avx avx2 bmi1 bmi2 f16c fma movbe xsave."* ]]
}

@test "a clock before the release was made, or long after" {
    answer now 0
    [ "$(findings)" = "warn clock," ]
    [[ $(says clock) == *1970-01-01*days\ before* ]]
    answer now 2500000000
    [ "$(findings)" = "warn clock," ]
    [[ $(says clock) == *days\ after* ]]
}

@test "a clock in a wrong time zone is not worth a word" {
    answer now "$(/usr/bin/env -i date -u -d '2026-11-23 10:00:00' +%s)"
    [ -z "$(findings)" ]
}

@test "SELinux enforcing: said; without the tool to label folders: refused" {
    answer getenforce Enforcing
    [ "$(findings)" = "warn selinux," ]
    ABSENT=chcon
    ln -s /bin/true "$MACHINE/bin/chcon"
    absent chcon
    [ "$(findings)" = "refuse selinux," ]
}

@test "a mode that the bundle cannot serve" {
    MODE=everything
    [ "$(findings)" = "refuse mode," ]
    [[ $(says mode) == *everything*"it can: all single."* ]]
}

# --- engine and Compose ---

@test "no engine: the cure is the bundle's own where it has one" {
    absent docker
    [ "$(findings)" = "refuse engine," ]
    [[ $(says engine) == *"brings none"*20.10.10*fetch-engine* ]]
    mkdir "$BUNDLE/engine"
    preflight
    [[ $(says engine) == *"sudo ./install-docker-centos.sh" ]]
}

@test "podman-docker is named" {
    answer docker-version 'podman version 4.9.4'
    [ "$(findings)" = "refuse engine," ]
    [[ $(says engine) == *podman-docker* ]]
}

@test "an engine that does not answer: its own words and how to start it" {
    answer info
    [ "$(findings)" = "refuse engine," ]
    [[ $(says engine) == *"Is the docker daemon running?"*"systemctl start docker"* ]]
}

@test "an engine too old, by number and not by text" {
    answer info version=20.10.9 root=/var/lib/docker driver=overlay2
    [ "$(findings)" = "refuse engine-range," ]
    [[ $(says engine-range) == *20.10.9*20.10.10* ]]
    answer info version=20.10.24+dfsg1 root=/var/lib/docker driver=overlay2
    [ -z "$(findings)" ]
}

@test "an engine newer than any that was tried: said" {
    answer info version=29.1.0 root=/var/lib/docker driver=overlay2
    answer compose 2.40.3
    [ "$(findings)" = "warn engine-range," ]
}

@test "storage drivers: overlay2 and its like pass, vfs is warned about, the others are refused" {
    for driver in overlay2 overlayfs btrfs zfs; do
        answer info version=26.1.5 root=/var/lib/docker "driver=$driver"
        [ -z "$(findings)" ]
    done
    answer info version=26.1.5 root=/var/lib/docker driver=vfs
    [ "$(findings)" = "warn storage-driver," ]
    answer info version=20.10.24 root=/var/lib/docker driver=devicemapper
    [ "$(findings)" = "refuse storage-driver," ]
    [[ $(says storage-driver) == *devicemapper* ]]
}

@test "overlay2 on xfs without ftype" {
    answer info version=20.10.24 root=/var/lib/docker driver=overlay2 'status=Supports d_type=false'
    [ "$(findings)" = "refuse ftype," ]
    [[ $(says ftype) == /var/lib/docker*ftype=1* ]]
}

@test "the same where the engine does not tell: xfs_info does" {
    answer info version=28.5.2 root=/var/lib/docker driver=overlayfs
    stat() { echo xfs; }
    answer xfs_info 'naming   =version 2              bsize=4096   ascii-ci=0 ftype=0'
    [ "$(findings)" = "refuse ftype," ]
    answer xfs_info 'naming   =version 2              bsize=4096   ascii-ci=0 ftype=1'
    [ -z "$(findings)" ]
}

@test "images in containerd are an experiment before 26" {
    for version in 24.0.7 26.1.5; do
        answer info "version=$version" root=/var/lib/docker driver=overlayfs 'status=driver-type=io.containerd.snapshotter.v1'
        findings >"$BATS_TEST_TMPDIR/$version"
    done
    [ "$(cat "$BATS_TEST_TMPDIR/24.0.7")" = "warn image-store," ]
    [ -z "$(cat "$BATS_TEST_TMPDIR/26.1.5")" ]
}

@test "no Compose at all" {
    answer docker-compose
    [ "$(findings)" = "refuse compose," ]
    [[ $(says compose) == *docker-compose-plugin* ]]
    mkdir "$BUNDLE/engine"
    preflight
    [[ $(says compose) == *engine/docker-compose* ]]
}

@test "a Compose too old, or a Compose 1 with an engine that no longer speaks to it" {
    answer docker-compose 1.25.0
    [ "$(findings)" = "refuse compose," ]
    answer docker-compose 1.29.2
    answer info version=29.0.0 root=/var/lib/docker driver=overlay2
    [ "$(findings)" = "warn engine-range,refuse compose," ]
    answer compose v2.40.3
    [ "$(findings)" = "warn engine-range," ]
}

@test "the flavour that made the containers must be there, else all are made anew" {
    answer made-by 1.29.2
    [ -z "$(findings)" ]
    answer docker-compose
    answer compose 2.26.1
    [ "$(findings)" = "refuse compose-flavour," ]
    [[ $(says compose-flavour) == *1.29.2*2.26.1*"--accept compose-flavour"* ]]
    answer made-by 2.26.1
    [ -z "$(findings)" ]
    answer compose
    answer docker-compose 1.29.2
    [ "$(findings)" = "refuse compose-flavour," ]
    answer docker-compose 2.26.1
    [ -z "$(findings)" ]
}

# --- room ---

storage_root_of_engine() {
    preflight_engine && storage_root
}

@test "too little room for the images: what is free, needed and missing, and where there is more" {
    printf '%s\n' '/ /dev/vda 9 9 100000000 50% /' '/var/lib/docker /dev/vdb 9 9 1500000 90% /var/lib/docker' \
        '/home /dev/vdc 9 9 300000000 1% /home' >"$MACHINE/answers/df"
    [ "$(findings)" = "refuse disk-engine," ]
    [[ $(says disk-engine) == *"on /var/lib/docker"*"1.5 GB free, 2.0 GB needed, 464.0 MB missing"*data-root*"/home (307.2 GB)."* ]]
}

@test "layers that the engine has already need no room" {
    printf '%s\n' '/ /dev/vda 9 9 100000000 50% /' '/var/lib/docker /dev/vdb 9 9 1500000 90% /var/lib/docker' >"$MACHINE/answers/df"
    answer layers sha256:00 sha256:aa
    [ -z "$(findings)" ]
}

@test "too little room for the stack's own files, whatever folder of it is there yet" {
    printf '%s\n' '/ /dev/vda 9 9 100000000 50% /' "$ROOT /dev/vdb 9 9 100000 90% /some where" >"$MACHINE/answers/df"
    rmdir "$ROOT"
    mkdir -p "$ROOT"
    [ "$(findings)" = "refuse disk-root," ]
    [[ $(says disk-root) == *"on /some where"*"102.4 MB free"*--root* ]]
}

@test "needs on one file system add up" {
    echo '/ /dev/vda 9 9 2050000 50% /' >"$MACHINE/answers/df"
    [ "$(findings)" = "refuse disk-root," ]
}

@test "a backup as large as the data must find room, else it is warned about" {
    mkdir -p "$ROOT/shared/mysql/data"
    head -c 3000000 /dev/zero >"$ROOT/shared/mysql/data/aria_log_control"
    printf '%s\n' '/ /dev/vda 9 9 100000000 50% /' "$ROOT /dev/vdb 9 9 198000 90% /data" >"$MACHINE/answers/df"
    [ "$(findings)" = "warn disk-backups," ]
}

@test "too few inodes, also where there are bytes" {
    printf '%s\n' '/ /dev/vda 9 9 500 99% /' "$ROOT /dev/vdb 9 9 0 90% /data" >"$MACHINE/answers/df-inodes"
    [ "$(findings)" = "refuse inodes-engine,refuse inodes-root," ]
}

@test "a file system that counts no inodes" {
    echo '/ /dev/vda 0 0 0 - /' >"$MACHINE/answers/df-inodes"
    [ -z "$(findings)" ]
}

@test "images in containerd lie in its own folder" {
    answer info version=28.5.2 root=/no/docker driver=overlayfs status=driver-type=io.containerd.snapshotter.v1
    printf '%s\n' '/ /dev/vda 9 9 100000000 50% /' '/big /dev/vdb 9 9 1 99% /big' >"$MACHINE/answers/df"
    existing_parent() { printf '%s' "$1"; }
    SYSTEM_CONTAINERD=$BATS_TEST_TMPDIR/absent
    [ "$(storage_root_of_engine)" = /no/docker/containerd/daemon ]
    SYSTEM_CONTAINERD=$BATS_TEST_TMPDIR
    [ "$(storage_root_of_engine)" = /var/lib/containerd ]
    mkdir "$ETC/containerd"
    echo 'root = "/big/containerd"' >"$ETC/containerd/config.toml"
    [ "$(findings)" = "refuse disk-engine," ]
    [[ $(says disk-engine) == *"(/big/containerd)"* ]]
}

# --- network ---

@test "a port that a program uses, and which program that is" {
    echo '   0: 00000000:1F42 00000000:0000 0A 0:0 0:0 0 0 0 4711 1' >>"$PROC/net/tcp"
    mkdir -p "$PROC/77/fd"
    ln -s 'socket:[4711]' "$PROC/77/fd/3"
    echo nginx >"$PROC/77/comm"
    [ "$(findings)" = "refuse port-8002," ]
    [[ $(says port-8002) == *"8002/tcp"*mini-web*"nginx (pid 77)"* ]]
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

# --- data ---

mariadb_at() {
    mkdir -p "$1"
    : >"$1/aria_log_control"
    printf '%s-MariaDB' "$2" >"$1/mysql_upgrade_info"
}

@test "data of the same family and series" {
    mariadb_at "$ROOT/shared/mysql/data" 10.11.6
    [ -z "$(findings)" ]
}

@test "data of another family" {
    mkdir -p "$ROOT/shared/mysql/data"
    printf '\0\0\0\0\0\0\0\0\0\x01\x38\xa4' >"$ROOT/shared/mysql/data/mysql.ibd" # 80036
    [ "$(findings)" = "refuse data-database," ]
    [[ $(says data-database) == *"holds data of mysql, and this release runs mariadb"* ]]
}

@test "data of an older series would be converted; data of a newer one cannot be read" {
    mariadb_at "$ROOT/shared/mysql/data" 10.6.1
    [ "$(findings)" = "refuse data-database," ]
    [[ $(says data-database) == *"mariadb 10.6, and this release runs 10.11: it would convert"* ]]
    mariadb_at "$ROOT/shared/mysql/data" 11.4.2
    preflight
    [[ $(says data-database) == *"older and cannot read"* ]]
}

@test "where the files do not tell the series, the release in service does" {
    mkdir -p "$ROOT/shared/mysql/data" "$ROOT/current/scripts"
    : >"$ROOT/shared/mysql/data/aria_log_control"
    [ -z "$(findings)" ]
    printf 'data\tdatabase\tmini-db\tmariadb\t10.5\tmysql/data\n' >"$ROOT/current/scripts/facts.tsv"
    [ "$(findings)" = "refuse data-database," ]
}

@test "files of nobody known are not taken for the stack's" {
    mkdir -p "$ROOT/shared/mysql/data"
    : >"$ROOT/shared/mysql/data/notes.txt"
    [ "$(findings)" = "refuse data-database," ]
}

@test "an empty folder, a mount point and an interrupted first start hold no data" {
    mkdir -p "$ROOT/shared/mysql/data/lost+found"
    [ -z "$(findings)" ]
    : >"$ROOT/shared/mysql/data/.initialising"
    : >"$ROOT/shared/mysql/data/ibdata1"
    [ -z "$(findings)" ]
}

@test "no new empty folder where a container of that name has data elsewhere: --adopt, or the other root" {
    f=$'\x1f' old=$BATS_TEST_TMPDIR/old
    mariadb_at "$old/mysql/data" 10.11.6
    answer containers "/mini-db${f}mini${f}$old${f}${f}$old/mysql/data:/var/lib/mysql "
    [ "$(findings)" = "refuse data-database," ]
    [[ $(says data-database) == *"--adopt $old;"* ]]
    mariadb_at "$old/shared/mysql/data" 10.11.6
    answer containers "/mini-db${f}mini${f}$old${f}${f}$old/shared/mysql/data:/var/lib/mysql "
    preflight
    [[ $(says data-database) == *"--root $old;"* ]]
}

@test "no new empty folder beside data that lies in the root by hand" {
    mariadb_at "$ROOT/mysql/data" 10.11.6
    [ "$(findings)" = "refuse data-database," ]
    [[ $(says data-database) == *"--adopt $ROOT;"* ]]
}

@test "data in a usual place is worth a word" {
    mariadb_at "$BATS_TEST_TMPDIR/opt/xiaozhi-old/mysql/data" 10.11.6
    USUAL_PLACES=("$BATS_TEST_TMPDIR"/opt/*)
    [ "$(findings)" = "warn data-database," ]
    [[ $(says data-database) == *"--adopt $BATS_TEST_TMPDIR/opt/xiaozhi-old;"* ]]
}

@test "what is adopted must fit too" {
    ADOPT=$BATS_TEST_TMPDIR/old
    mariadb_at "$ADOPT/mysql/data" 10.11.6
    [ -z "$(findings)" ]
    mariadb_at "$ADOPT/mysql/data" 11.4.2
    [ "$(findings)" = "refuse data-database," ]
}

@test "data of services outside the mode does not count" {
    mkdir -p "$ROOT/shared/mysql/data"
    : >"$ROOT/shared/mysql/data/notes.txt"
    MODE=single
    [ -z "$(findings)" ]
}
