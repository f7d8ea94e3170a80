# shellcheck shell=bash disable=SC2034,SC2329 # the preflight reads what is set here, and calls what replaces a command
# A machine made of files for the preflight: stubs first on PATH that answer from $MACHINE, and kernel tables beside.
# `good_machine` makes one without a finding; each test then breaks one thing of it.

good_machine() {
    MACHINE=$BATS_TEST_TMPDIR/machine
    mkdir -p "$MACHINE"/{bin,answers,etc,proc/net,proc/sys/net/ipv4} "$BATS_TEST_TMPDIR"/{bundle/scripts,root}
    export MACHINE
    make_kernel_tables
    make_answers
    make_facts
    for tool in docker docker-compose df date uname nproc getenforce firewall-cmd iptables id xfs_info; do
        ln -s "$BATS_TEST_DIRNAME/preflight_stub.bash" "$MACHINE/bin/$tool"
    done
    PATH=$MACHINE/bin:$PATH
    load_preflight
}

load_preflight() {
    local lib=$BATS_TEST_DIRNAME/../../scripts/host/lib name
    unset LC_ALL LC_MESSAGES LANG
    for name in say facts state backup backup-before preflight preflight-host preflight-engine preflight-disk preflight-network preflight-subnet \
        datafiles preflight-data; do
        # shellcheck disable=SC1090
        source "$lib/$name.sh"
    done
    use_language en
    PROC=$MACHINE/proc
    ETC=$MACHINE/etc
    USUAL_PLACES=("$BATS_TEST_TMPDIR"/opt/*)
    BUNDLE=$BATS_TEST_TMPDIR/bundle
    ROOT=$BATS_TEST_TMPDIR/root
    FACTS=$BUNDLE/scripts/facts.tsv
    FINDINGS=$BATS_TEST_TMPDIR/findings
    MODE=all ADOPT='' FIREWALL=yes BACKUP_WANTED=yes
}

make_kernel_tables() {
    local proc=$MACHINE/proc
    echo 1 >"$proc/sys/net/ipv4/ip_forward"
    echo 'MemTotal:        4000000 kB' >"$proc/meminfo"
    echo 'flags		: fpu cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3 avx2' >"$proc/cpuinfo"
    {
        echo 'Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT'
        echo 'eth0 00000000 010200C0 0003 0 0 0 00000000 0 0 0'    # default by 192.0.2.1
        echo 'eth0 000200C0 00000000 0001 0 0 0 00FFFFFF 0 0 0'    # 192.0.2.0/24
        echo 'docker0 000011AC 00000000 0001 0 0 0 0000FFFF 0 0 0' # 172.17.0.0/16
    } >"$proc/net/route"
    echo '  sl  local_address rem_address   st' | tee "$proc/net/tcp" "$proc/net/tcp6" "$proc/net/udp" >"$proc/net/udp6"
    echo 'nameserver 192.0.2.53' >"$MACHINE/etc/resolv.conf"
}

make_answers() {
    local answers=$MACHINE/answers f=$'\x1f'
    echo 'Docker version 20.10.24, build 297e128' >"$answers/docker-version"
    printf 'version=20.10.24\nroot=/var/lib/docker\ndriver=overlay2\nstatus=Supports d_type=true\n' >"$answers/info"
    echo 1.29.2 >"$answers/docker-compose"
    : >"$answers/made-by"
    : >"$answers/containers"
    : >"$answers/layers"
    echo "bridge${f}docker0${f}172.17.0.0/16 " >"$answers/networks"
    echo '/ /dev/vda 200000000 100000000 100000000 50% /' >"$answers/df"
    echo '/ /dev/vda 10000000 1000000 9000000 10% /' >"$answers/df-inodes"
    date -u -d '2026-11-24 08:00:00' +%s >"$answers/now"
    echo x86_64 >"$answers/machine"
    echo 5.14.0-70.el9 >"$answers/kernel"
    echo 4 >"$answers/nproc"
    echo 0 >"$answers/uid"
    echo Permissive >"$answers/getenforce"
}

# make_facts: of a stack `mini` with two services; one layer of 700 MB.
make_facts() {
    printf '%s\n' \
        'format	1' 'stack	mini' 'bundle	mini-offline-deployment' 'id	20261123-210000' 'platform	linux/amd64' \
        'layer	app	0	sha256:aa	sha256:11	300000000' 'raw	sha256:aa	700000000' \
        'mode	all	mini-db,mini-web' 'mode	single	mini-web' \
        'service	mini-db	db	all	60' 'service	mini-web	web	all,single	10' \
        'port	mini-web	8002	8002	tcp' 'port	mini-db	-	3306	tcp' \
        'mount	mini-db	host	mysql/data	shared/mysql/data	/var/lib/mysql	999:999	0700	-' \
        'data	database	mini-db	mariadb	10.11	mysql/data' \
        'subnet	172.30.77.0/24' 'root	/opt/mini' 'minimum_engine	20.10.10' 'memory	2g' 'cpus	2' 'cpu_level	x86-64-v2' \
        >"$BATS_TEST_TMPDIR/bundle/scripts/facts.tsv"
}

# answer NAME LINE...: what a stub says from now on; no line: nothing, and it fails.
answer() {
    if (($# > 1)); then
        printf '%s\n' "${@:2}" >"$MACHINE/answers/$1"
    else
        rm "$MACHINE/answers/$1"
    fi
}

# absent TOOL: no such program, neither the stub nor this machine's.
absent() {
    rm "$MACHINE/bin/$1"
    command() {
        [[ $1 == -v && $2 == "$ABSENT" ]] && return 1
        builtin command "$@"
    }
    ABSENT=$1
}

# fact_is KIND VALUE: instead of what make_facts wrote.
fact_is() {
    sed -i "s|^$1	.*|$1	$2|" "$FACTS"
}

# findings: of a whole preflight, without the sentences.
findings() {
    preflight
    cut -f 1,2 "$FINDINGS" | tr '\t\n' ' ,'
}

# preflight: in a shell of its own without the trap that bats runs before each command; that one doubles its time.
preflight() (
    set +T
    trap - DEBUG
    : >"$FINDINGS"
    preflight_all
)

# says ID: the sentence of a finding.
says() {
    awk -F '\t' -v id="$1" '$2 == id { print $3 }' "$FINDINGS"
}
