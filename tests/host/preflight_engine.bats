# What the preflight finds in the engine and in Compose.

bats_require_minimum_version 1.5.0

setup() {
    # shellcheck source=tests/host/preflight_machine.bash
    source "$BATS_TEST_DIRNAME/preflight_machine.bash"
    good_machine
}

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
