# When a deploy backs up the release in service first, and which backup counts.

setup() {
    source "$BATS_TEST_DIRNAME/deploy_library.bash"
    load_library
    printf 'id\t20260202-000000\nmount\tweb\thost\tuploads\tshared/uploads\t/uploads\t0:0\t0755\t-\n' >"$FACTS"
    mkdir -p "$ROOT/releases/20260101-000000/scripts" "$ROOT/shared/uploads"
    sed 's/^id.*/id\t20260101-000000/' "$FACTS" >"$ROOT/releases/20260101-000000/scripts/facts.tsv"
    # what the real one leaves: which release it looked at, and a name in state
    make_backup() {
        printf '%s %s %s\n' "$(fact "$FACTS" id)" "$MODE" "$BUNDLE" >>"$BATS_TEST_TMPDIR/made"
        state_set backup=20260203-000000
    }
}

# kept RELEASE: a whole backup of it.
kept() {
    mkdir -p "$ROOT/backups/20260201-000000"
    printf 'format\t1\nrelease\t%s\n' "$1" >"$ROOT/backups/20260201-000000/manifest.tsv"
    printf 'sealed\t%s\n' "$(sha256sum <"$ROOT/backups/20260201-000000/manifest.tsv" | cut -c 1-64)" \
        >>"$ROOT/backups/20260201-000000/manifest.tsv"
}

@test "nothing in service, and the same release in service: no backup, and that is said" {
    run strict backup_before
    [[ $status -eq 0 && $output == *'nothing to back up first'* ]]
    state_set current=20260202-000000
    run strict backup_before
    [[ $status -eq 0 && $output == *'20260202-000000 is in service already'* ]]
    [ ! -e "$BATS_TEST_TMPDIR/made" ]
}

@test "another release in service is backed up, as itself and in its own mode" {
    state_set current=20260101-000000 mode=single
    strict backup_before
    [ "$(cat "$BATS_TEST_TMPDIR/made")" = "20260101-000000 single $ROOT/releases/20260101-000000" ]
    [ "$(state_get deploy_backup)" = 20260203-000000 ]
}

@test "whoever wants none is in the audit log" {
    state_set current=20260101-000000 mode=all
    BACKUP_WANTED=no
    run strict backup_before
    [[ $status -eq 0 && $output == *'is not backed up first'* ]]
    grep -q $'no-backup\t20260101-000000' "$ROOT/audit.log"
    [ ! -e "$BATS_TEST_TMPDIR/made" ]
}

@test "the backup of a deploy that was killed counts, as the data may have been changed since" {
    kept 20260101-000000
    state_set current=20260101-000000 mode=all deploy_backup=20260201-000000
    run strict backup_before
    [[ $status -eq 0 && $output == *'20260201-000000 was made by a deploy that was killed'* ]]
    [ "$(state_get backup)" = 20260201-000000 ]
    [ ! -e "$BATS_TEST_TMPDIR/made" ]
}

@test "one that is damaged, gone or of another release does not" {
    state_set current=20260101-000000 mode=all deploy_backup=20260201-000000
    strict backup_before
    kept 20251231-000000
    state_set deploy_backup=20260201-000000
    strict backup_before
    kept 20260101-000000
    echo more >>"$ROOT/backups/20260201-000000/manifest.tsv"
    state_set deploy_backup=20260201-000000
    strict backup_before
    [ "$(wc -l <"$BATS_TEST_TMPDIR/made")" -eq 3 ]
}

@test "room for it is looked for before anything begins: twice what the release in service keeps" {
    head -c 3000000 /dev/zero >"$ROOT/shared/uploads/file"
    state_set current=20260101-000000
    FINDINGS=$BATS_TEST_TMPDIR/findings
    stub df <<'END'
echo header
echo 'disk 9 9 5000 1% /data'
END
    need_of_backups
    [[ $(cat "$FINDINGS") == refuse$'\t'disk-backups$'\t'*'5.1 MB free, 6.0 MB needed'* ]]
    state_set current=20260202-000000
    : >"$FINDINGS"
    need_of_backups
    [ ! -s "$FINDINGS" ]
}
