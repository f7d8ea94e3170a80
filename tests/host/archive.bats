# The streams that `docker load` gets: for a classic store with plain layers, for a containerd store with the blobs as they are.

setup() {
    source "$BATS_TEST_DIRNAME/deploy_library.bash"
    load_library
    images=$BATS_TEST_TMPDIR/images out=$BATS_TEST_TMPDIR/out place=$BATS_TEST_TMPDIR/place
    mkdir -p "$images/blobs/sha256" "$out"
    head -c 70000 /dev/urandom >"$BATS_TEST_TMPDIR/one"
    head -c 1024 /dev/zero >"$BATS_TEST_TMPDIR/two"
    gzip -c "$BATS_TEST_TMPDIR/one" >"$images/blobs/sha256/aa"
    gzip -c "$BATS_TEST_TMPDIR/two" >"$images/blobs/sha256/bb"
    cp "$BATS_TEST_TMPDIR/two" "$images/blobs/sha256/cc"
    echo '{}' >"$images/blobs/sha256/c0"
    echo '{"m":1}' >"$images/blobs/sha256/m0"
    {
        printf 'platform\tlinux/amd64\nraw\tsha256:one\t70000\nraw\tsha256:two\t1024\n'
        printf 'image\tdb\tmini/db:0123456789ab\t-\tsha256:c0\tsha256:m0\n'
        printf 'layer\tdb\t0\tsha256:%s\tsha256:%s\t%s\n' one aa 70028 two bb 30 absent dd 7 unknown cc 7
    } >"$FACTS"
    stub docker <<<'true'
}

@test "a classic store gets the layers unpacked, under their names, and everything else as it is" {
    archive_images "$images" "$place" classic db | tar -xf - -C "$out"
    cmp "$out/blobs/sha256/aa" "$BATS_TEST_TMPDIR/one"
    cmp "$out/blobs/sha256/bb" "$BATS_TEST_TMPDIR/two"
    for blob in cc c0 m0; do
        cmp "$out/blobs/sha256/$blob" "$images/blobs/sha256/$blob"
    done
    [ "$(archive_images "$images" /dev/null classic db | tar -tf - | grep -c blobs/sha256/..)" = 5 ]
}

@test "what a classic store has on the same layers does not go there again" {
    stub docker <<<'case $2 in ls) echo id ;; inspect) echo sha256:one ;; esac'
    archive_images "$images" "$place" classic db | tar -xf - -C "$out"
    [ "$(ls "$out/blobs/sha256" | tr '\n' ' ')" = 'bb c0 cc m0 ' ]
    stub docker <<<'case $2 in ls) echo id ;; inspect) echo sha256:two ;; esac'
    archive_images "$images" "$place" classic db | tar -tf - | grep blobs/sha256/bb
}

@test "a containerd store, which knows a blob by its digest, gets the blobs" {
    archive_images "$images" "$place" containerd db | tar -xf - -C "$out"
    diff -r "$images/blobs" "$out/blobs"
}

@test "the stream describes its own images alone, to both kinds of store" {
    printf 'image\tweb\tmini/web:0\t-\tsha256:c1\tsha256:m1\n' >>"$FACTS"
    archive_images "$images" "$place" containerd db | tar -xf - -C "$out"
    [ "$(cat "$out/oci-layout")" = '{"imageLayoutVersion":"1.0.0"}' ]
    [ "$(cat "$out/manifest.json")" = '[{"Config":"blobs/sha256/c0","RepoTags":["mini/db:0123456789ab"],"Layers":["blobs/sha256/aa","blobs/sha256/bb","blobs/sha256/dd","blobs/sha256/cc"]}]' ]
    [ "$(cat "$out/index.json")" = '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:m0","size":8,"platform":{"architecture":"amd64","os":"linux"},"annotations":{"io.containerd.image.name":"docker.io/mini/db:0123456789ab","org.opencontainers.image.ref.name":"0123456789ab"}}]}' ]
}

@test "a containerd store wants names with their registry" {
    [ "$(full_name alpine:3)" = docker.io/library/alpine:3 ]
    [ "$(full_name mini/db:1.2)" = docker.io/mini/db:1.2 ]
    [ "$(full_name localhost/db:1)" = localhost/db:1 ]
    [ "$(full_name reg.example.com:5000/a/b:1)" = reg.example.com:5000/a/b:1 ]
}

@test "a layer that does not unpack ends the stream with a failure" {
    truncate --size 1000 "$images/blobs/sha256/aa"
    run strict archive_images "$images" /dev/null classic db
    [ "$status" -ne 0 ]
}

@test "it says how many bytes were read before, and by whom the rest; in the end all of them" {
    archive_images "$images" "$place" classic db >/dev/null
    total=$(shipped_bytes "$images" db)
    [ "$total" = "$(cat "$images"/blobs/sha256/* | wc -c)" ]
    [ "$(bytes_read "$total" "$place")" = "$total" ]
    printf '70058 %s\n' "$BASHPID" >"$place"
    (($(bytes_read 99000000 "$place") > 70058))
    [ "$(bytes_read 99000000 "$place" "$place")" -gt 140116 ]
    [ "$(bytes_read 80000 "$BATS_TEST_TMPDIR/absent")" = 0 ]
}

# layers ROLE BYTES DIGEST...: an image's, all of one size.
layers() {
    printf 'image\t%s\tmini/%s:1\t-\tsha256:c-%s\tsha256:m-%s\n' "$1" "$1" "$1" "$1" >>"$FACTS"
    printf "layer\t$1\t0\tsha256:x\tsha256:%s\t$2\n" "${@:3}" >>"$FACTS"
}

@test "streams are about equally long, and images that share layers go together" {
    : >"$FACTS"
    layers server 50 base python app
    layers web 50 debian nginx
    layers db 50 debian mysql
    layers redis 50 debian
    [ "$(image_streams 2 server web db redis)" = $'server\nweb db redis' ]
    [ "$(image_streams 1 server web db redis)" = 'server web db redis' ]
    [ "$(image_streams 2 db)" = db ]
    [ "$(image_streams 2 server redis)" = $'server\nredis' ]
    : >"$FACTS"
    layers app 50 big vast one
    layers tool 50 big vast two
    [ "$(image_streams 2 app tool)" = 'app tool' ]
}

# engine: a stub whose `load` keeps what it gets, and which has the images `web` and `redis`, whole.
engine() {
    layers web 50 debian nginx
    layers redis 50 debian
    cat >"$BATS_TEST_TMPDIR/bin/docker" <<END
#!/bin/bash
case "\$*" in
    load) cat >"$BATS_TEST_TMPDIR/loaded.\$\$"; $1 ;;
    *inspect*mini/web:1) echo sha256:c-web sha256:x,sha256:x, ;;
    *inspect*mini/redis:1) echo sha256:c-redis sha256:x, ;;
    *inspect*) echo "no such image" >&2; exit 1 ;;
esac
END
    mkdir -p "$BUNDLE"
    mv "$images" "$BUNDLE/images"
}

@test "only images that the engine does not have are loaded" {
    engine true
    run strict load_images
    [ "$status" -eq 0 ]
    [ "$(tar -xOf "$BATS_TEST_TMPDIR"/loaded.* manifest.json | grep -o 'mini/[a-z]*')" = mini/db ]
}

@test "a load that fails is told with what the engine said" {
    engine 'echo "no space left on device" >&2; exit 1'
    run strict load_images
    [ "$status" -eq 1 ]
    [[ $output == *"no space left on device"* ]]
}
