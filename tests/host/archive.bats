# The stream that `docker load` gets: for a classic store with plain layers, for a containerd store with the blobs as they are.

setup() {
    source "$BATS_TEST_DIRNAME/deploy_library.bash"
    load_library
    images=$BATS_TEST_TMPDIR/images out=$BATS_TEST_TMPDIR/out
    mkdir -p "$images/blobs/sha256" "$out"
    echo '[]' >"$images/manifest.json"
    head -c 70000 /dev/urandom >"$BATS_TEST_TMPDIR/one"
    head -c 1024 /dev/zero >"$BATS_TEST_TMPDIR/two"
    gzip -c "$BATS_TEST_TMPDIR/one" >"$images/blobs/sha256/aa"
    gzip -c "$BATS_TEST_TMPDIR/two" >"$images/blobs/sha256/bb"
    cp "$BATS_TEST_TMPDIR/two" "$images/blobs/sha256/cc"
    {
        printf 'raw\tsha256:one\t70000\nraw\tsha256:two\t1024\n'
        printf 'image\tdb\n'
        printf 'layer\tdb\t0\tsha256:%s\tsha256:%s\t%s\n' one aa 70028 two bb 30 absent dd 7 unknown cc 7
    } >"$FACTS"
    stub docker <<<'true'
}

@test "a classic store gets the layers unpacked, under their names, and everything else as it is" {
    archive_images "$images" "$BATS_TEST_TMPDIR/place" classic | tar -xf - -C "$out"
    cmp "$out/blobs/sha256/aa" "$BATS_TEST_TMPDIR/one"
    cmp "$out/blobs/sha256/bb" "$BATS_TEST_TMPDIR/two"
    cmp "$out/blobs/sha256/cc" "$images/blobs/sha256/cc"
    [ "$(cat "$out/manifest.json")" = '[]' ]
    [ "$(archive_images "$images" /dev/null classic | tar -tf - | grep -c blobs/sha256/..)" = 3 ]
}

@test "what a classic store has on the same layers does not go there again" {
    stub docker <<<'case $2 in ls) echo id ;; inspect) echo sha256:one ;; esac'
    archive_images "$images" "$BATS_TEST_TMPDIR/place" classic | tar -xf - -C "$out"
    [ "$(cd "$out" && find . -type f | sort | tr '\n' ' ')" = './blobs/sha256/bb ./blobs/sha256/cc ./manifest.json ' ]
    stub docker <<<'case $2 in ls) echo id ;; inspect) echo sha256:two ;; esac'
    archive_images "$images" "$BATS_TEST_TMPDIR/place" classic | tar -tf - | grep blobs/sha256/bb
}

@test "a containerd store, which knows a blob by its digest, gets the blobs" {
    archive_images "$images" "$BATS_TEST_TMPDIR/place" containerd | tar -xf - -C "$out"
    diff -r "$images" "$out"
}

@test "a layer that does not unpack ends the stream with a failure" {
    truncate --size 1000 "$images/blobs/sha256/aa"
    run bash -c "set -o pipefail; source '$LIB/archive.sh'; source '$LIB/stored.sh'; FACTS='$FACTS' archive_images '$images' /dev/null classic | cat >/dev/null"
    [ "$status" -ne 0 ]
}

@test "it says how many bytes were read before, and by whom the rest; in the end all of them" {
    archive_images "$images" "$BATS_TEST_TMPDIR/place" classic >/dev/null
    [ "$(bytes_read "$BATS_TEST_TMPDIR/place" 80000)" = 80000 ]
    printf '70058 %s\n' "$BASHPID" >"$BATS_TEST_TMPDIR/place"
    (($(bytes_read "$BATS_TEST_TMPDIR/place" 99000000) > 70058))
    [ "$(bytes_read "$BATS_TEST_TMPDIR/absent" 80000)" = 0 ]
}
