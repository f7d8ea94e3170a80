# What the preflight finds of bytes and inodes.

bats_require_minimum_version 1.5.0

setup() {
    # shellcheck source=tests/host/preflight_machine.bash
    source "$BATS_TEST_DIRNAME/preflight_machine.bash"
    good_machine
}

storage_root_of_engine() {
    preflight_engine && storage_root
}

@test "too little room for the images: what is free, needed and missing, and where there is more" {
    printf '%s\n' '/ /dev/vda 9 9 100000000 50% /' '/var/lib/docker /dev/vdb 9 9 1500000 90% /var/lib/docker' \
        '/home /dev/vdc 9 9 300000000 1% /home' >"$MACHINE/answers/df"
    [ "$(findings)" = "refuse disk-engine," ]
    [[ $(says disk-engine) == *"on /var/lib/docker"*"1.5 GB free, 2.4 GB needed, 864.0 MB missing"*data-root*"/home (307.2 GB)."* ]]
}

@test "a containerd store keeps layers packed, a classic one holds the plain archive until it is loaded" {
    printf '%s\n' '/ /dev/vda 9 9 100000000 50% /' '/var/lib/docker /dev/vdb 9 9 2000000 90% /var/lib/docker' >"$MACHINE/answers/df"
    [ "$(findings)" = "refuse disk-engine," ]
    answer info version=28.5.2 root=/var/lib/docker driver=overlayfs status=driver-type=io.containerd.snapshotter.v1
    [ -z "$(findings)" ]
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
    echo '/ /dev/vda 9 9 2450000 50% /' >"$MACHINE/answers/df"
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
