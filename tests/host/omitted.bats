# What a bundle leaves out and says is here: omitted.sh proves it, file by file and layer by layer.

setup() {
    LIB=$BATS_TEST_DIRNAME/../../scripts/host/lib
    source "$LIB/facts.sh"
    source "$LIB/stored.sh"
    source "$LIB/omitted.sh"
    # The engine, as far as omitted.sh sees it; real ones are in tests/airgap and tests/compat.
    image_store() { printf '%s' "$STORE"; }
    stored_chains() { printf '%s' "$CHAINS"; }
    stored_blobs() { printf '%s' "$CONTENT"; }
    BUNDLE=$BATS_TEST_TMPDIR/bundle ROOT=$BATS_TEST_TMPDIR/root FACTS=$BATS_TEST_TMPDIR/bundle/scripts/facts.tsv
    mkdir -p "$BUNDLE/scripts" "$ROOT/payload/web-1/models"
    printf 'image\tweb\tmini/web:1\t-\tsha256:c\tsha256:m\nlayer\tweb\t0\tdiff0\tblob0\t5\nlayer\tweb\t1\tdiff1\tblob1\t5\n' >"$FACTS"
    CHAINS='' CONTENT='' STORE=classic
}

# leaves_out LINE...
leaves_out() {
    printf '%b\n' "$@" >"$BUNDLE/omitted.tsv"
}

sum_of() {
    printf '%s' "$1" | sha256sum | cut -d ' ' -f 1
}

@test "a bundle that leaves nothing out needs nothing" {
    omitted_present
}

@test "a classic store has a layer when an image has the whole chain below it" {
    leaves_out 'blob\tblob0\t-' 'blob\tblob1\t-'
    CHAINS=$'other\ndiff0 diff1 more\n'
    omitted_present
}

@test "the same layer on another base is not the one" {
    leaves_out 'blob\tblob0\t-' 'blob\tblob1\t-'
    CHAINS=$'diff0\nother diff1\n'
    run omitted_present
    [ "$status" -eq 1 ]
    [ "$output" = $'absent\tblob\tblob1' ]
}

@test "a layer that a second image of the bundle has elsewhere must be there, too" {
    printf 'image\tdb\tmini/db:1\t-\tsha256:d\tsha256:n\nlayer\tdb\t0\tdiff1\tblob1\t5\n' >>"$FACTS"
    leaves_out 'blob\tblob1\t-'
    CHAINS=$'diff0 diff1\n'
    run omitted_present
    [ "$output" = $'absent\tblob\tblob1' ]
}

@test "a containerd store has what its content has" {
    STORE=containerd CONTENT=$'blob0\n'
    leaves_out 'blob\tblob0\t-' 'blob\tblob1\t-'
    run omitted_present
    [ "$status" -eq 1 ]
    [ "$output" = $'absent\tblob\tblob1' ]
}

@test "without an engine no layer is here, nor is what installs one left out" {
    STORE=''
    leaves_out 'blob\tblob0\t-' "file\tengine/docker.tgz\t-\t$(sum_of engine)"
    CHAINS=$'diff0\n'
    run omitted_present
    [ "$status" -eq 1 ]
    [ "${lines[0]}" = $'absent\tblob\tblob0' ]
    [ "${lines[1]}" = $'absent\tfile\tengine/docker.tgz' ]
}

@test "a file is here when its bytes are: another file of that name is not it" {
    printf 'model' >"$ROOT/payload/web-1/models/a b"
    printf 'edited' >"$ROOT/payload/web-1/models/c"
    leaves_out "file\tmodels/a b\tpayload/web-1/models/a b\t$(sum_of model)" \
        "file\tmodels/c\tpayload/web-1/models/c\t$(sum_of model)" \
        "file\tmodels/d\tpayload/web-1/models/d\t$(sum_of model)"
    run omitted_present
    [ "$status" -eq 1 ]
    [ "$output" = $'absent\tfile\tmodels/c\nabsent\tfile\tmodels/d' ]
}

@test "what was left out of a folder, or a file itself, is copied to where it is wanted" {
    printf 'model' >"$ROOT/payload/web-1/models/a b"
    leaves_out "file\tmodels/x/a b\tpayload/web-1/models/a b\t$(sum_of model)" \
        "file\tmodels-other\tpayload/web-1/models/a b\t$(sum_of model)"
    omitted_into models "$BATS_TEST_TMPDIR/new/models"
    [ "$(cat "$BATS_TEST_TMPDIR/new/models/x/a b")" = model ]
    [ "$(find "$BATS_TEST_TMPDIR/new" -type f | wc -l)" -eq 1 ]
    omitted_into models-other "$BATS_TEST_TMPDIR/new/single"
    [ "$(cat "$BATS_TEST_TMPDIR/new/single")" = model ]
}

@test "of several places one is enough, and the one with other bytes is not copied" {
    mkdir -p "$ROOT/payload/web-2"
    printf 'broken' >"$ROOT/payload/web-1/models/a"
    printf 'model' >"$ROOT/payload/web-2/a"
    leaves_out "file\tmodels/a\tpayload/web-1/models/a\t$(sum_of model)\t20261101-000000" \
        "file\tmodels/a\tpayload/web-2/a\t$(sum_of model)\t20261102-000000"
    omitted_present
    omitted_into models "$BATS_TEST_TMPDIR/new"
    [ "$(cat "$BATS_TEST_TMPDIR/new/a")" = model ]
}

@test "what is nowhere is not passed over when it is copied" {
    leaves_out "file\tmodels/a\tpayload/web-1/models/a\t$(sum_of model)"
    run omitted_into models "$BATS_TEST_TMPDIR/new"
    [ "$status" -ne 0 ]
}

@test "a module that was edited, or deleted, is here as long as its folder is the one that the release wants" {
    mkdir -p "$ROOT/payload/web-1/functions"
    printf 'edited' >"$ROOT/payload/web-1/functions/time.py"
    printf '%s  functions/time.py\n%s  functions/gone.py\n' "$(sum_of shipped)" "$(sum_of gone)" >"$ROOT/payload/web-1.shipped"
    leaves_out "file\tfunctions/time.py\tpayload/web-1/functions/time.py\t$(sum_of shipped)" \
        "file\tfunctions/gone.py\tpayload/web-1/functions/gone.py\t$(sum_of gone)"
    omitted_present
    rm "$ROOT/payload/web-1.shipped"
    run omitted_present
    [ "$output" = $'absent\tfile\tfunctions/time.py\nabsent\tfile\tfunctions/gone.py' ]
}

@test "a blob that no image of a containerd store holds any more does not count: it goes with the next collection" {
    table=$'DIGEST SIZE AGE LABELS\nsha256:m 1kB 2 minutes containerd.io/gc.ref.content.config=sha256:c,containerd.io/gc.ref.content.l.0=sha256:l\n'
    table+=$'sha256:c 1kB 2 minutes -\nsha256:l 5kB 2 minutes containerd.io/uncompressed=sha256:d\n'
    table+=$'sha256:old 1kB 2 hours containerd.io/gc.ref.content.l.0=sha256:oldlayer\nsha256:oldlayer 5kB 2 hours -\n'
    table+=$'sha256:index 1kB 2 hours containerd.io/gc.ref.content.m.0=sha256:m'
    run held_blobs <(echo sha256:m) <<<"$table"
    [ "$(sort <<<"$output")" = $'sha256:c\nsha256:l\nsha256:m' ]
    run held_blobs <(echo sha256:index) <<<"$table"
    [ "$(sort <<<"$output")" = $'sha256:c\nsha256:index\nsha256:l\nsha256:m' ]
}

@test "the releases that a table counts on are each named once" {
    leaves_out 'blob\tsha256:0\t20261102-000000 20261101-000000' 'blob\tsha256:1\tclassic store' \
        'file\tmodels/a\tpayload/x\t0\t20261103-000000' 'file\tmodels/b\tpayload/20261104-000000\t0'
    [ "$(releases_since "$BUNDLE/omitted.tsv")" = $'20261101-000000\n20261102-000000\n20261103-000000' ]
}

@test "room is needed for what is copied, not for what lies in its place already" {
    source "$LIB/payload.sh"
    mkdir -p "$ROOT/payload/web-2"
    printf '12345' >"$ROOT/payload/web-1/a b"
    printf '123' >"$ROOT/payload/web-2/c"
    printf 'mount\tweb\trelease\tmodels\tpayload/web-2/models\t/m\t0:0\t0755\t-\n' >>"$FACTS"
    [ "$(omitted_bytes)" = 0 ]
    leaves_out "file\tmodels/a b\tpayload/web-1/a b\t0" "file\tmodels/a b\tpayload/web-1/other\t0" \
        "file\tmodels/c\tpayload/web-2/c\t0" "file\tmodels/gone\tpayload/web-1/gone\t0" "file\tengine/x\t-\t0"
    [ "$(omitted_bytes)" = 5 ]
}
