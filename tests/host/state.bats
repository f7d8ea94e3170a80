# The host's memory, its lock, and who did what.

setup() {
    source "$BATS_TEST_DIRNAME/deploy_library.bash"
    load_library
}

@test "a key is what was set last, the others stay" {
    state_set current=1 mode=all 'who=a b=c'
    state_set mode=single
    [ "$(state_get current) $(state_get mode) $(state_get who)" = '1 single a b=c' ]
    [ "$(wc -l <"$ROOT/state")" -eq 3 ]
}

@test "a key that only begins alike is another key" {
    state_set step=up steps=3
    state_set step=health
    [ "$(state_get step) $(state_get steps)" = 'health 3' ]
}

@test "an empty value takes the key away" {
    state_set current=1 former=2
    state_set current=
    [ "$(cat "$ROOT/state")" = former=2 ]
    [ -z "$(state_get current)" ]
}

@test "a state that cannot be written is a failure, and the former one stays" {
    state_set current=1
    ln -s /dev/full "$ROOT/.state-new"
    if state_set current=2 2>/dev/null; then return 1; fi
    [ "$(state_get current)" = 1 ]
}

@test "a file is replaced whole or not at all" {
    printf old >"$ROOT/file"
    fails_half_way() {
        printf half
        false
    }
    run strict replace_file "$ROOT/file" 0600 fails_half_way
    [ "$status" -ne 0 ]
    [ "$(cat "$ROOT/file")" = old ]
    strict replace_file "$ROOT/file" 0640 printf new
    [ "$(cat "$ROOT/file") $(stat -c %a "$ROOT/file")" = 'new 640' ]
}

@test "the audit log says who, from where and what, one line each whatever the words hold" {
    SUDO_USER=lily SSH_CONNECTION='192.0.2.7 1 192.0.2.1 22' audit_log deploy $'a\nb\tc'
    [ "$(cut -f 2- "$ROOT/audit.log")" = $'lily\t192.0.2.7\tdeploy\ta b c' ]
    [ "$(stat -c %a "$ROOT/audit.log")" = 600 ]
}

@test "where sudo took the address out of the environment, a parent still has it" {
    export SSH_CONNECTION='192.0.2.8 1 192.0.2.1 22'
    from=$(bash -c "env -u SSH_CONNECTION bash -c 'source $LIB/state.sh; asked_from'; :")
    [ "$from" = 192.0.2.8 ]
}

@test "a second one is told who works here since when, and ends with 4" {
    (lock_take deploy && exec sleep 30) &
    holder=$!
    until [[ -s $ROOT/lock ]]; do sleep 0.01; done
    run lock_take rollback
    kill "$holder"
    [ "$status" -eq 4 ]
    [[ $output == *"deploy by $(asker)"*"process $holder"* ]]
}

@test "what a killed run left at work is named" {
    bash -c "LIB=$LIB; source $LIB/all.sh; ROOT=$ROOT; lock_take deploy; sleep 31 & disown; echo \$! >$ROOT/orphan"
    run lock_take deploy
    kill "$(cat "$ROOT/orphan")"
    [ "$status" -eq 4 ]
    [[ $output == *"killed run"*"sleep 31"* ]]
}
