# shellcheck shell=bash
# Preflight of the machine itself: who runs this, architecture, kernel, shell, tools, memory, CPUs, clock, SELinux.

OLDEST_KERNEL=3.10
OLDEST_BASH=4.2
TOOLS=(awk cut date df du find flock grep gzip head id mktemp od readlink sed setsid sha256sum sort stat sync tail tar timeout tr uname wc)
CLOCK_BEHIND=86400                # seconds before the release was made; a clock in a wrong time zone is no more off
CLOCK_AHEAD=$((10 * 365 * 86400)) # seconds after it
LEVEL_2=(cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3)
LEVEL_3=(abm avx avx2 bmi1 bmi2 f16c fma movbe xsave) # and those of level 2

preflight_host() {
    preflight_mode
    preflight_system
    preflight_tools
    preflight_memory
    preflight_cpu_level
    preflight_clock
    preflight_selinux
}

# preflight_mode: a bundle cannot serve services that it does not hold.
preflight_mode() {
    local modes
    modes=$(records "$FACTS" mode | cut -f 1 | tr '\n' ' ')
    if [[ " $modes" != *" $MODE "* ]]; then
        refuse pf_mode mode "$MODE" "${modes% }"
    fi
}

preflight_system() {
    local machine wanted
    if (($(id -u) != 0)); then
        refuse pf_root root
    fi
    machine=$(uname -m)
    case $(fact "$FACTS" platform) in
        linux/amd64) wanted=x86_64 ;;
        linux/arm64) wanted=aarch64 ;;
        *) wanted=$(fact "$FACTS" platform) ;;
    esac
    if [[ $machine != "$wanted" ]]; then
        refuse pf_arch arch "$machine" "$wanted"
    fi
    if ! version_at_least "$(uname -r)" "$OLDEST_KERNEL"; then
        refuse pf_kernel kernel "$(uname -r)" "$OLDEST_KERNEL"
    fi
    if ! version_at_least "$BASH_VERSION" "$OLDEST_BASH"; then
        refuse pf_bash bash "$BASH_VERSION" "$OLDEST_BASH"
    fi
}

preflight_tools() {
    local tool absent=
    for tool in "${TOOLS[@]}"; do
        if ! command -v "$tool" >/dev/null; then
            absent+=" $tool"
        fi
    done
    if [[ -n $absent ]]; then
        refuse pf_tools tools "${absent# }"
    fi
}

# preflight_memory: a machine sold with 4 GB shows a little less: what the kernel keeps for itself is forgiven.
preflight_memory() {
    local have need cpus wanted
    have=$(($(awk '$1 == "MemTotal:" { print $2 }' "$PROC/meminfo") * 1024))
    need=$(size_bytes "$(fact "$FACTS" memory)")
    if ((have < need - need / 16)); then
        caution pf_memory memory "$(human_bytes "$have")" "$(human_bytes "$need")" "$(human_bytes $((need - have)))"
    fi
    cpus=$(nproc)
    wanted=$(fact "$FACTS" cpus)
    if ((cpus < wanted)); then
        caution pf_cpus cpus "$cpus" "$wanted" $((wanted - cpus))
    fi
}

# preflight_cpu_level: the kernel's names of the instructions that a level asks for (x86-64 psABI).
preflight_cpu_level() {
    local level flags flag absent=
    local -a wanted
    level=$(fact "$FACTS" cpu_level)
    case $level in
        x86-64-v2) wanted=("${LEVEL_2[@]}") ;;
        x86-64-v3) wanted=("${LEVEL_2[@]}" "${LEVEL_3[@]}") ;;
        *) return 0 ;;
    esac
    flags=$(awk -F : '$1 ~ /^flags/ { print $2; exit }' "$PROC/cpuinfo")
    for flag in ${wanted[@]+"${wanted[@]}"}; do
        if [[ " $flags " != *" $flag "* ]]; then
            absent+=" $flag"
        fi
    done
    if [[ -n $absent ]]; then
        refuse pf_cpu_level cpu-level "$level" "${absent# }"
    fi
}

# preflight_clock: a host cannot be older than the release that it gets.
preflight_clock() {
    local id now made
    id=$(fact "$FACTS" id)
    now=$(date +%s)
    made=$(date -u -d "${id:0:4}-${id:4:2}-${id:6:2} ${id:9:2}:${id:11:2}:${id:13:2}" +%s)
    if ((now < made - CLOCK_BEHIND)); then
        caution pf_clock_behind clock "$(date -u -d "@$now" '+%F %T')" $(((made - now) / 86400)) "$id"
    elif ((now > made + CLOCK_AHEAD)); then
        caution pf_clock_ahead clock "$(date -u -d "@$now" '+%F %T')" $(((now - made) / 86400)) "$id"
    fi
}

preflight_selinux() {
    if ! command -v getenforce >/dev/null || [[ $(getenforce) != Enforcing ]]; then
        return 0
    fi
    if command -v chcon >/dev/null; then
        caution pf_selinux selinux "$ROOT"
    else
        refuse pf_selinux_tools selinux "$ROOT"
    fi
}
