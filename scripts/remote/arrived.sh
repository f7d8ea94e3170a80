# shellcheck shell=bash
# What earlier transfers left in <root>/blobs/sha256. While the host has not started anew since, it is as it was written;
# a power cut may keep a name and lose bytes behind it. After that, and after a bundle that did not verify, only what
# hashes to its name counts.

start_of_host() {
    cat /proc/sys/kernel/random/boot_id
}

# same_start ROOT: the host runs since before those transfers.
same_start() {
    [[ -f $1/blobs/start && $(<"$1/blobs/start") == "$(</proc/sys/kernel/random/boot_id)" ]]
}

# has_true_name PATH: the piece is whole, and what it is called. OpenSSL is faster, and one that says the right sum can hash.
has_true_name() {
    local name=${1##*/}
    name=${name%.part}
    [[ $(openssl dgst -sha256 -r <"$1" 2>/dev/null) == "$name "* || $(sha256sum <"$1") == "$name "* ]]
}
