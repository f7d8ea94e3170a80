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
