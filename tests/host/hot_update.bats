# hot-update.sh with an engine that is a stub: which files it is about, what never goes live, what comes back, what a kill
# leaves. The stub compiles with this machine's Python, and its service starts again and again when a file says «broken».

setup() {
    source "$BATS_TEST_DIRNAME/deploy_library.bash"
    load_library
    HOST=$BATS_TEST_DIRNAME/../../scripts/host
    BUNDLE=$ROOT/releases/1
    FACTS=$BUNDLE/scripts/facts.tsv
    mkdir -p "$BUNDLE/scripts"
    printf '%s\n' 'id	1' 'stack	mini' 'mode	all	app,web' 'start_limit	20' 'service	app	server	all	10' 'service	web	web	all	10' \
        'image	server	mini/server:1	-	a	b' 'image	web	mini/web:1	-	a	b' \
        "mount	app	release	plugins/functions	payload/app-a/plugins/functions	/functions	$ME	0755	hot" \
        "mount	app	release	plugins/register.py	payload/app-a/plugins/register.py	/register.py	$ME	0755	hot,single" \
        "mount	app	release	models	payload/app-a/models	/models	$ME	0755	read_only" \
        "mount	web	release	pages	payload/web-a/pages	/pages	$ME	0755	hot" >"$FACTS"
    APP=$ROOT/payload/app-a
    mkdir -p "$APP/plugins/functions" "$APP/models" "$ROOT/payload/web-a/pages"
    echo 'time = 1' >"$APP/plugins/functions/get_time.py"
    echo 'music = 1' >"$APP/plugins/functions/play_music.py"
    echo 'register = 1' >"$APP/plugins/register.py"
    echo 'weights' >"$APP/models/model.pt"
    echo 'hello' >"$ROOT/payload/web-a/pages/index.html"
    strict keep_proved
    printf 'current=1\nmode=all\n' >"$ROOT/state"
    SENT_FILES=$BATS_TEST_TMPDIR/sent
    stub sleep <<<true # between two looks at a service: the stub's changes at once
    stub docker <<END
case "\$*" in
    *'.Path'*) echo 'python3 app.py' ;;
    'inspect --type container'*'.State.Health'*)
        echo x >>"$BATS_TEST_TMPDIR/looks"
        for name in app web; do
            health=healthy restarts=0
            if grep -qs broken "$BATS_TEST_TMPDIR/runs-\$name"; then
                health=starting restarts=\$(wc -l <"$BATS_TEST_TMPDIR/looks")
            fi
            echo "/\$name running \$health \$restarts 2026-01-01T00:00:00Z image \$name"
        done ;;
    'inspect '*) ;;
    run*)
        [[ -z \${NO_PYTHON:-} ]] || { echo 'no such file' >&2; exit 127; }
        while [[ \$1 != mini/* ]]; do shift; done
        exec python3 "\${@:2}" ;;
    restart*)
        name=\${*: -1}
        cat "$ROOT/payload/\$name-a/"*/*.* "$ROOT/payload/\$name-a/"*/*/* >"$BATS_TEST_TMPDIR/runs-\$name" 2>/dev/null
        [[ -z \${KILL_AT_RESTART:-} ]] || kill -KILL \$(cat "$BATS_TEST_TMPDIR/worker") ;;
    'logs '*' app') echo 'app says hello' ;;
    logs*) exit 1 ;;
esac
END
}

# hot_update WORD...: the script, with its words in a file, as it is when nobody looks on; sets `status` and `output`.
hot_update() {
    status=0
    bash "$HOST/hot-update.sh" --root "$ROOT" "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" &
    echo $! >"$BATS_TEST_TMPDIR/worker"
    wait $! || status=$?
    output=$(cat "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/err")
}

restarted() {
    sed -n 's/^docker restart .* //p' "$BATS_TEST_TMPDIR/calls" | tr '\n' ' '
}

# send PATH TEXT
send() {
    mkdir -p "$(dirname "$SENT_FILES/$1")"
    printf '%s\n' "$2" >"$SENT_FILES/$1"
}

proved() {
    cat "$ROOT/hot/app-a/plugins/$1"
}

kept() {
    cat "$ROOT"/drift/*-"$1"/app/plugins/"$2"
}

@test "where nothing differs nothing is done" {
    hot_update
    [[ $status -eq 0 && $output == *'Nothing differs'* ]]
    [ -z "$(restarted)" ]
}

@test "an edit in its place is compiled, its service alone restarted and asked, and then it is proved; the former version is kept" {
    echo 'time = 2' >"$APP/plugins/functions/get_time.py"
    hot_update
    [ "$status" -eq 0 ]
    [ "$(restarted)" = 'app ' ]
    [ "$(proved functions/get_time.py)" = 'time = 2' ]
    [ "$(kept former functions/get_time.py)" = 'time = 1' ]
    [[ $output == *'plugins/functions/get_time.py is edited (lines: +1 -1)'*'app says hello'* ]]
    [[ $(cat "$ROOT/state") != *hot=* && ! -e $ROOT/.hot-update ]]
    grep -q $'hot-update\tapp\tplugins/functions/get_time.py\tedited' "$ROOT/audit.log"
}

@test "a module that was added, and one that was deleted, are changes too" {
    echo 'new = 1' >"$APP/plugins/functions/added.py"
    rm "$APP/plugins/functions/play_music.py"
    hot_update
    [ "$status" -eq 0 ]
    [ "$(proved functions/added.py)" = 'new = 1' ]
    [ ! -e "$ROOT/hot/app-a/plugins/functions/play_music.py" ]
    [ "$(kept former functions/play_music.py)" = 'music = 1' ]
}

@test "a syntax error is named with its line and restarts nothing (the former version is named); 6" {
    printf 'ok = 1\ndef x(:\n' >"$APP/plugins/functions/get_time.py"
    hot_update
    [ "$status" -eq 6 ]
    [[ $output == *'plugins/functions/get_time.py, line 2: '* ]]
    [[ $output == *"$ROOT/hot/app-a/plugins/functions/get_time.py"* ]]
    [ -z "$(restarted)" ]
    [ ! -e "$ROOT/.hot-update" ]
}

@test "every file that does not compile is named at once, and what is no text neither" {
    echo 'def x(:' >"$APP/plugins/functions/get_time.py"
    printf 'a\0b' >"$APP/plugins/functions/play_music.py"
    printf '\xff\xfe' >"$APP/plugins/register.py"
    hot_update
    [ "$status" -eq 6 ]
    [ "$(grep -c 'error: plugins/' <<<"$output")" -eq 3 ]
}

@test "a sent file with a syntax error never goes live" {
    send plugins/functions/get_time.py 'def x(:'
    hot_update --from "$SENT_FILES"
    [ "$status" -eq 6 ]
    [ "$(cat "$APP/plugins/functions/get_time.py")" = 'time = 1' ]
    [ -z "$(restarted)" ]
}

@test "sent files go live by rename, with the owner and mode of what they replace" {
    send plugins/functions/get_time.py 'time = 3'
    send plugins/functions/added.py 'added = 3'
    chmod 0600 "$APP/plugins/functions/get_time.py"
    inode=$(stat -c %i "$APP/plugins/functions/get_time.py")
    hot_update --from "$SENT_FILES"
    [ "$status" -eq 0 ]
    [ "$(cat "$APP/plugins/functions/"{get_time,added}.py)" = $'time = 3\nadded = 3' ]
    [ "$(stat -c %a "$APP/plugins/functions/"{get_time,added}.py)" = $'600\n644' ]
    [ "$(stat -c %i "$APP/plugins/functions/get_time.py")" != "$inode" ]
    [ -z "$(find "$ROOT" -name '.new-*')" ]
}

@test "what breaks a service is taken back, and kept: 7" {
    echo 'x = "broken"' >"$APP/plugins/functions/get_time.py"
    echo 'x = 1' >"$APP/plugins/functions/added.py"
    rm "$APP/plugins/functions/play_music.py"
    hot_update
    [ "$status" -eq 7 ]
    [ "$(cat "$APP/plugins/functions/"{get_time,play_music}.py)" = $'time = 1\nmusic = 1' ]
    [ ! -e "$APP/plugins/functions/added.py" ]
    [ "$(kept rejected functions/get_time.py)" = 'x = "broken"' ]
    [ "$(kept rejected functions/added.py)" = 'x = 1' ]
    [ "$(restarted)" = 'app app ' ]
    [[ $(cat "$ROOT/state") == *result=returned* && $(cat "$ROOT/state") != *hot=* ]]
}

@test "where the former files do not work either, a hand is needed: 8" {
    echo 'x = "broken"' >"$APP/plugins/functions/get_time.py"
    echo 'broken' >"$APP/models/model.pt"
    hot_update
    [ "$status" -eq 8 ]
    [ "$(cat "$APP/plugins/functions/get_time.py")" = 'time = 1' ]
    [[ $(cat "$ROOT/state") == *hot=app* ]]
    run bash "$HOST/status.sh" --root "$ROOT"
    [[ $output == *'hot-update.sh finishes it'* ]]
}

@test "a name that no hot module has is used wrongly, and the near one is named: 2" {
    for word in plugins/functions/get_tim.py get_tme.py /elsewhere/gettime.py; do
        hot_update "$word"
        [[ $status -eq 2 && $output == *"$word: no hot module has this name. The nearest: plugins/functions/get_time.py"* ]]
    done
    hot_update models/model.pt # payload, and not hot
    [ "$status" -eq 2 ]
    send plugins/other.py 'x = 1'
    hot_update --from "$SENT_FILES"
    [ "$status" -eq 2 ]
}

@test "a module is named as in the bundle, or by any path that leads to it" {
    ln -s ../../payload/app-a/plugins "$BUNDLE/plugins"
    cd "$BUNDLE/plugins/functions"
    for word in plugins/functions/get_time.py "$APP/plugins/functions/get_time.py" "$BUNDLE/plugins/functions/get_time.py" get_time.py; do
        [ "$(hot_path "$word")" = plugins/functions/get_time.py ]
    done
    [ "$(hot_path "$APP/plugins/functions/deleted.py")" = plugins/functions/deleted.py ]
    [ "$(hot_path elsewhere.py)" = elsewhere.py ]
}

@test "a named module leaves the edits of other services alone, and takes those of its own along" {
    echo 'time = 2' >"$APP/plugins/functions/get_time.py"
    echo 'register = 2' >"$APP/plugins/register.py"
    echo 'other' >"$ROOT/payload/web-a/pages/index.html"
    hot_update plugins/register.py
    [ "$status" -eq 0 ]
    [ "$(proved functions/get_time.py) $(proved register.py)" = 'time = 2 register = 2' ]
    [ "$(cat "$ROOT/hot/web-a/pages/index.html")" = hello ]
    [ "$(restarted)" = 'app ' ]
}

@test "a sent file on top of an edit that nobody proved: the edit is kept" {
    echo 'mine = 1' >"$APP/plugins/functions/get_time.py"
    send plugins/functions/get_time.py 'time = 3'
    hot_update --from "$SENT_FILES"
    [ "$status" -eq 0 ]
    [ "$(kept edited functions/get_time.py)" = 'mine = 1' ]
    [ "$(kept former functions/get_time.py)" = 'time = 1' ]
}

@test "a sent file that is what the service works with takes an edit away" {
    echo 'mine = 1' >"$APP/plugins/functions/get_time.py"
    send plugins/functions/get_time.py 'time = 1'
    hot_update --from "$SENT_FILES"
    [ "$status" -eq 0 ]
    [ "$(cat "$APP/plugins/functions/get_time.py")" = 'time = 1' ]
    [ "$(kept edited functions/get_time.py)" = 'mine = 1' ]
    [ "$(restarted)" = 'app ' ]
}

@test "what is no Python is not compiled; what an editor leaves is nothing" {
    echo 'def x(:' >"$ROOT/payload/web-a/pages/index.html"
    hot_update
    [ "$status" -eq 0 ]
    [ "$(restarted)" = 'web ' ]
    touch "$APP/plugins/functions/"{.get_time.py.swp,get_time.py~}
    hot_update
    [[ $output == *'Nothing differs'* ]]
}

@test "a service that this mode does not run gets its files, and no restart" {
    sed -i 's/mode	all	app,web/mode	all	app/' "$FACTS"
    echo 'other' >"$ROOT/payload/web-a/pages/index.html"
    hot_update
    [ "$status" -eq 0 ]
    [ -z "$(restarted)" ]
    [ "$(cat "$ROOT/hot/web-a/pages/index.html")" = other ]
}

@test "an image without a Python cannot say whether it compiles, so nothing goes live: 6" {
    echo 'time = 2' >"$APP/plugins/functions/get_time.py"
    NO_PYTHON=yes hot_update
    [[ $status -eq 6 && $output == *'no such file'*'mini/server:1 could not compile'* ]]
    [ -z "$(restarted)" ]
}

@test "two at once: the second is told who the other is, and ends with 4" {
    exec 9>>"$ROOT/lock"
    flock 9
    printf '1\tanna\t10.0.0.9\tsince\thot-update\n' >"$ROOT/lock"
    echo 'time = 2' >"$APP/plugins/functions/get_time.py"
    hot_update 9>&-
    exec 9>&-
    [[ $status -eq 4 && $output == *'hot-update by anna'* ]]
}

@test "killed while it restarted: what is proved is as it was, and a second run finishes" {
    echo 'time = 2' >"$APP/plugins/functions/get_time.py"
    KILL_AT_RESTART=yes hot_update
    [ "$status" -eq 137 ]
    [ "$(proved functions/get_time.py)" = 'time = 1' ]
    [[ $(cat "$ROOT/state") == *hot=app* ]]
    hot_update
    [ "$status" -eq 0 ]
    [ "$(proved functions/get_time.py)" = 'time = 2' ]
}

@test "killed after the former files were back and before their service was: a second run restarts it" {
    state_set hot=app
    hot_update
    [ "$status" -eq 0 ]
    [ "$(restarted)" = 'app ' ]
    [[ $(cat "$ROOT/state") != *hot=* ]]
}

@test "where nothing is proved yet nothing could be taken back: 5" {
    rm -r "$ROOT/hot/app-a"
    hot_update
    [[ $status -eq 5 && $output == *'Deploy the bundle again'* ]]
}

@test "the list says what is live and what is proved" {
    echo 'time = 2' >"$APP/plugins/functions/get_time.py"
    rm "$APP/plugins/register.py"
    hot_update --list
    one=$(echo 'time = 2' | sha256sum | cut -c 1-64) two=$(echo 'time = 1' | sha256sum | cut -c 1-64)
    grep -qxF "app	plugins/functions/get_time.py	$one	$two" "$BATS_TEST_TMPDIR/out"
    grep -qE '^app	plugins/register.py	-	[0-9a-f]{64}$' "$BATS_TEST_TMPDIR/out"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -eq 4 ]
}

@test "status names, to programs too, the services that a killed update left" {
    [ "$(hot_json)" = '[]' ]
    state_set 'hot=server web'
    [ "$(hot_json)" = '["server","web"]' ]
}
