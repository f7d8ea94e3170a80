# What backup.sh does after a backup was made, or was not: only then do older ones go.

setup() {
    source "$BATS_TEST_DIRNAME/deploy_library.bash"
    load_library
    DRILL=no INTERRUPTED=0
    MADE=0 DRILLED=0
    mkdir -p "$ROOT/backups/20260203-000000"
    # the steps stand aside for what they end with
    make_backup() {
        ((MADE == 0)) || exit "$MADE"
        state_set backup=20260203-000000
    }
    choose_parts() { :; }
    judge_backup() { :; }
    compose_choose() { :; }
    drill_backup() { STEP_CODE=$DRILLED; }
    prune_backups() { echo pruned >>"$BATS_TEST_TMPDIR/done"; }
}

# ran: backup.sh's own part, in a shell as it runs in.
ran() {
    run strict eval 'source "$LIB/../backup.sh"; backup'
}

@test "a backup that was made lets older ones go, and is named" {
    ran
    [[ $status -eq 0 && $output == *'Backup 20260203-000000 is whole'* ]]
    [ "$(cat "$BATS_TEST_TMPDIR/done")" = pruned ]
    grep -q $'backup\t20260203-000000\tdone\t0' "$ROOT/audit.log"
}

@test "one that failed lets none go: 6" {
    MADE=1
    ran
    [[ $status -eq 6 && $output == *'There is no backup'* ]]
    [ ! -e "$BATS_TEST_TMPDIR/done" ]
    [ -z "$(state_get backup)" ]
}

@test "one that was interrupted lets none go: 130" {
    MADE=1 INTERRUPTED=1
    ran
    [ "$status" -eq 130 ]
    [ ! -e "$BATS_TEST_TMPDIR/done" ]
}

@test "with a drill, older ones go only after that has passed" {
    DRILL=yes
    ran
    [[ $status -eq 0 && $output == *'was restored for a test'* ]]
    [ "$(cat "$BATS_TEST_TMPDIR/done")" = pruned ]
    rm "$BATS_TEST_TMPDIR/done"
    DRILLED=1
    ran
    [[ $status -eq 6 && $output == *'Backup 20260203-000000 could not be restored'* ]]
    judge_backup() { exit 5; }
    ran
    [[ $status -eq 5 && $output == *'is whole, but it was not restored for a test'* ]]
    [ ! -e "$BATS_TEST_TMPDIR/done" ]
}

@test "where older ones cannot go, the new one is whole all the same, and that is said: 6" {
    prune_backups() { exit 1; }
    ran
    [[ $status -eq 6 && $output == *'20260203-000000 is whole, but older ones could not be removed'* ]]
}
