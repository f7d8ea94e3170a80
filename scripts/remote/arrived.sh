# shellcheck shell=bash
# What earlier transfers left in <root>/blobs/sha256. While the host has not started anew since, it is as it was written;
# a power cut may keep a name and lose bytes behind it, so after that each name is proved again.

start_of_host() {
    cat /proc/sys/kernel/random/boot_id
}

# same_start ROOT: the host runs since before those transfers.
same_start() {
    [[ -f $1/blobs/start && $(<"$1/blobs/start") == "$(</proc/sys/kernel/random/boot_id)" ]]
}

# has_true_name PATH: it is called what it hashes to; a begun piece never is.
has_true_name() {
    local name=${1##*/}
    [[ $name != *.part ]] || return 1
    is_sum "$name" "$(sum_with_openssl <"$1")" || is_sum "$name" "$(sha256sum <"$1")"
}

# sum_with_openssl: of stdin. coreutils has no use for what a processor can do for it on many hosts; OpenSSL, where it is,
# has, and one that says the right sum can hash.
sum_with_openssl() {
    openssl dgst -sha256 -r 2>/dev/null
}

# is_sum HEX TEXT: as sha256sum and OpenSSL write it.
is_sum() {
    [[ ${2%% *} == "$1" ]]
}
