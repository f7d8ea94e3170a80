# offline-deploy.sh and its kin as commands: what they take, what they refuse, what they ask.

setup() {
    HOST=$BATS_TEST_DIRNAME/../../scripts/host
    unset LC_ALL LC_MESSAGES LANG
    BUNDLE=$BATS_TEST_TMPDIR/bundle
    mkdir -p "$BUNDLE"
    cp -R "$HOST" "$BUNDLE/scripts"
    mv "$BUNDLE/scripts/offline-deploy.sh" "$BUNDLE/"
    ROOT=$BATS_TEST_TMPDIR/root
}

@test "help is there in both languages, for every script, and needs no stack" {
    run "$BUNDLE/offline-deploy.sh" --lang zh --help
    [[ $status -eq 0 && $output == *'用法：sudo ./offline-deploy.sh'* ]]
    for script in status logs restart rollback uninstall backup restore drill hot-update; do
        run bash "$BUNDLE/scripts/$script.sh" --help
        [[ $status -eq 0 && $output == usage:*"scripts/$script.sh"* ]]
        run bash "$BUNDLE/scripts/$script.sh" --lang zh --help
        [[ $status -eq 0 && $output == 用法：* ]]
    done
}

@test "what is not known is used wrongly: 2, with the usage" {
    for words in '--sideways' '--root' '--mode' '--accept' "--adopt $BATS_TEST_TMPDIR/absent" '--lang fr' 'word'; do
        run "$BUNDLE/offline-deploy.sh" $words
        [[ $status -eq 2 && $output == *'usage: sudo ./offline-deploy.sh'* ]]
    done
    for script in status logs restart rollback uninstall backup restore drill hot-update; do
        run bash "$BUNDLE/scripts/$script.sh" --sideways
        [[ $status -eq 2 && $output == *"scripts/$script.sh"* ]]
    done
}

@test "no backup first is what somebody has to mean: 2 without --yes" {
    run "$BUNDLE/offline-deploy.sh" --no-backup
    [[ $status -eq 2 && $output == *'only together with --yes'* ]]
    [ ! -e "$ROOT" ]
}

@test "a bundle that does not verify goes no further: 3" {
    echo x >"$BUNDLE/SHA256SUMS"
    run "$BUNDLE/offline-deploy.sh" --yes --root "$ROOT"
    [ "$status" -eq 3 ]
    [ ! -e "$ROOT" ]
}

@test "a backup's numbers and times are looked at before anything else" {
    for words in '--keep-last 0' '--keep-last' '--keep-daily many' '--keep-weekly -1' '--schedule' '--schedule 2:00' '--schedule 24:00'; do
        run bash "$BUNDLE/scripts/backup.sh" $words
        [[ $status -eq 2 && $output == *'usage: sudo bash scripts/backup.sh'* ]]
    done
    printf 'root\t%s\nstack\tmini\n' "$ROOT" >"$BUNDLE/scripts/facts.tsv"
    run bash "$BUNDLE/scripts/backup.sh" --keep-last 08 --keep-daily 0 --schedule off
    [[ $status -eq 2 && $output == *"$ROOT: no stack is there"* ]]
}

@test "scripts of a host without a stack say so: 2" {
    printf 'root\t%s\nstack\tmini\n' "$ROOT" >"$BUNDLE/scripts/facts.tsv"
    for script in status logs restart rollback uninstall backup restore drill hot-update; do
        run bash "$BUNDLE/scripts/$script.sh"
        [[ $status -eq 2 && $output == *"$ROOT: no stack is there"* ]]
    done
}

@test "scripts find the stack that they lie in, wherever it is" {
    mkdir -p "$ROOT/releases/1"
    cp -R "$BUNDLE/scripts" "$ROOT/releases/1/"
    printf 'root\t/elsewhere\nstack\tmini\n' >"$ROOT/releases/1/scripts/facts.tsv"
    echo 'history=1' >"$ROOT/state"
    run bash "$ROOT/releases/1/scripts/restart.sh"
    [[ $status -eq 2 && $output == *'No release is in service'* ]]
    run bash "$ROOT/releases/1/scripts/rollback.sh" --to 7
    [[ $status -eq 2 && $output == *$'These can:\n1' ]]
}

@test "without a terminal nobody can be asked: 2, and nothing is done" {
    mkdir -p "$ROOT/releases/"{1,2}
    for id in 1 2; do
        cp -R "$BUNDLE/scripts" "$ROOT/releases/$id/"
        printf 'root\t/elsewhere\nstack\tmini\nmode\tall\tapp\n' >"$ROOT/releases/$id/scripts/facts.tsv"
    done
    printf 'current=2\nformer=1\nmode=all\n' >"$ROOT/state"
    before=$(cat "$ROOT/state")
    for script in rollback uninstall; do
        run bash "$ROOT/releases/2/scripts/$script.sh" </dev/null
        [[ $status -eq 2 && $output == *'add --yes'* ]]
    done
    [ "$(cat "$ROOT/state")" = "$before" ]
}
