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
    local sum
    sum=$(sha256sum <"$1") && [[ ${sum%% *} == "${1##*/}" ]]
}
