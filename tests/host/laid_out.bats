# What a release lays out on a host: shared folders, secrets, payload, edits of hot modules, links; and what it lets go.

setup() {
    source "$BATS_TEST_DIRNAME/deploy_library.bash"
    load_library
    umask 077
}

# release ID TEXT: a bundle of that id whose one hot module holds TEXT, in a payload folder named by it.
release() {
    BUNDLE=$BATS_TEST_TMPDIR/bundle-$1
    FACTS=$BUNDLE/scripts/facts.tsv
    mkdir -p "$BUNDLE"/{scripts,plugins/functions,data,config}
    printf '%s\n' "$2" >"$BUNDLE/plugins/functions/time.py"
    printf 'other\n' >"$BUNDLE/plugins/functions/other.py"
    printf 'key: shipped\n' >"$BUNDLE/data/.config.yaml"
    printf '#!/bin/sh\n' >"$BUNDLE/config/start.sh"
    chmod 0755 "$BUNDLE/config/start.sh"
    printf 'services: {}\n' >"$BUNDLE/docker-compose-offline.yml"
    printf 'sums of %s\n' "$1" >"$BUNDLE/SHA256SUMS"
    printf '%s\n' "id	$1" 'stack	mini' 'mode	all	app' 'service	app	app	all	10' \
        "image	app	mini/app:${2}00000000000	-	sha256:a	sha256:b" \
        "mount	app	host	data	shared/data	/data	$ME	0700	-" \
        "mount	app	release	plugins/functions	payload/app-$2/plugins/functions	/functions	$ME	0755	hot" \
        "mount	app	release	config/start.sh	payload/app-$2/config/start.sh	/start.sh	$ME	0755	read_only,single" \
        'secret	DB_PASSWORD' >"$FACTS"
}

# in_service ID TEXT: as after its deploy.
in_service() {
    release "$1" "$2"
    strict switch_release
    state_set "current=$1" mode=all "history=$1 $(state_get history)"
}

@test "a release is laid out whole: links for people, owners and modes whatever the umask" {
    in_service 1 a
    [ "$(readlink "$ROOT/current")" = releases/1 ]
    [ "$(cat "$ROOT/current/plugins/functions/time.py" "$ROOT/current/data/.config.yaml")" = $'a\nkey: shipped' ]
    [ "$(readlink "$ROOT/current/.env")" = ../../.env ]
    [ "$(stat -c %a "$ROOT"/{shared,shared/data,shared/data/.config.yaml,payload/app-a/plugins/functions/time.py,payload/app-a/config/start.sh,.env})" = $'755\n700\n600\n644\n755\n600' ]
    [ -z "$(find "$ROOT" -name '.partial*' -o -name '.new*')" ]
}

@test "a file that the host has is never overwritten, and a missing one comes back" {
    in_service 1 a
    echo 'key: mine' >"$ROOT/shared/data/.config.yaml"
    in_service 2 a
    [ "$(cat "$ROOT/shared/data/.config.yaml")" = 'key: mine' ]
    rm "$ROOT/shared/data/.config.yaml"
    in_service 3 a
    [ "$(cat "$ROOT/shared/data/.config.yaml")" = 'key: shipped' ]
}

# ships ID DEFAULT: a release with that in data/.config.yaml.
ships() {
    release "$1" a
    printf '%b\n' "$2" >"$BUNDLE/data/.config.yaml"
}

# into_place: as a deploy does, up to its record; prints what people see.
into_place() {
    strict switch_release
    strict offer_defaults "$(state_get current)" 2>&1
    state_set "current=$(fact "$FACTS" id)"
}

@test "an edited file survives a release; a new default is laid beside it, and only what changed in the defaults is shown" {
    ships 1 'keep: 6\napi_key: of-one\nsame: 1'
    into_place
    [ ! -e "$ROOT/shared/data/.config.yaml.new" ]
    echo 'api_key: of-the-operator' >"$ROOT/shared/data/.config.yaml"
    ships 2 'keep: 7\napi_key: of-two\nsame: 1'
    run into_place
    [ "$status" -eq 0 ]
    [ "$(cat "$ROOT/shared/data/.config.yaml")" = 'api_key: of-the-operator' ]
    [ "$(cat "$ROOT/shared/data/.config.yaml.new")" = $'keep: 7\napi_key: of-two\nsame: 1' ]
    [ "$(stat -c %a "$ROOT"/{shared/data/.config.yaml.new,releases/2/.defaults,releases/2/.defaults/data/.config.yaml})" = $'600\n700\n600' ]
    [[ $output == *"$ROOT/shared/data/.config.yaml.new"*'-keep: 6'*'-api_key: ***'*'+keep: 7'*'+api_key: ***'* ]]
    [[ $output != *of-the-operator* && $output != *of-one* && $output != *of-two* ]]
}

@test "no default is laid beside where it did not change, or where the host's file says the same" {
    ships 1 'keep: 6'
    into_place
    echo 'keep: mine' >"$ROOT/shared/data/.config.yaml"
    ships 2 'keep: 6'
    [ -z "$(into_place | grep -F .new)" ]
    echo 'keep: 7' >"$ROOT/shared/data/.config.yaml"
    ships 3 'keep: 7'
    [ -z "$(into_place | grep -F .new)" ]
    [ ! -e "$ROOT/shared/data/.config.yaml.new" ]
}

@test "a secret is made once, of letters and digits, and an operator's own line stays" {
    in_service 1 a
    secret=$(sed -n 's/^DB_PASSWORD=//p' "$ROOT/.env")
    [[ $secret =~ ^[A-Za-z0-9]{32}$ ]]
    echo 'MINE=x' >>"$ROOT/.env"
    in_service 2 a
    [ "$(sed -n 's/^DB_PASSWORD=//p' "$ROOT/.env")" = "$secret" ]
    [ "$(grep -c . "$ROOT/.env") $(grep -c MINE=x "$ROOT/.env")" = '4 1' ]
}

@test "an edit stays live while the shipped file is unchanged" {
    in_service 1 a
    echo mine >"$ROOT/payload/app-a/plugins/functions/other.py"
    echo new >"$ROOT/payload/app-a/plugins/functions/added.py"
    in_service 2 b
    [ "$(cat "$ROOT"/payload/app-b/plugins/functions/{other,added,time}.py)" = $'mine\nnew\nb' ]
    [ ! -e "$ROOT/drift" ]
}

@test "where both changed the shipped file wins, and the edit is kept and named" {
    in_service 1 a
    echo mine >"$ROOT/payload/app-a/plugins/functions/time.py"
    release 2 b
    run strict switch_release
    [ "$status" -eq 0 ]
    [ "$(cat "$ROOT/payload/app-b/plugins/functions/time.py" "$ROOT/drift/2/app/plugins/functions/time.py")" = $'b\nmine' ]
    [[ $output == *"$ROOT/drift/2/app/plugins/functions/time.py"* ]]
}

@test "an edit that says what the new release says is none" {
    in_service 1 a
    echo b >"$ROOT/payload/app-a/plugins/functions/time.py"
    in_service 2 b
    [ ! -e "$ROOT/drift" ]
}

@test "a deleted module stays deleted while the shipped one is unchanged, and comes back with a new one" {
    in_service 1 a
    rm "$ROOT/payload/app-a/plugins/functions/"{other,time}.py
    in_service 2 b
    [ ! -e "$ROOT/payload/app-b/plugins/functions/other.py" ]
    [ "$(cat "$ROOT/payload/app-b/plugins/functions/time.py")" = b ]
}

@test "an edit is carried into a folder that an earlier release left, whose own edit is kept" {
    in_service 1 a
    echo old >"$ROOT/payload/app-a/plugins/functions/other.py"
    in_service 2 b
    echo newer >"$ROOT/payload/app-b/plugins/functions/other.py"
    in_service 3 a
    [ "$(cat "$ROOT/payload/app-a/plugins/functions/other.py")" = newer ]
    [ "$(cat "$ROOT/drift/3/app/plugins/functions/other.py")" = old ]
}

@test "a rollback takes no edits along: what was broken by one stays behind" {
    in_service 1 a
    in_service 2 b
    echo broken >"$ROOT/payload/app-b/plugins/functions/other.py"
    ACTION=rollback
    in_service 1 a
    [ "$(cat "$ROOT/payload/app-a/plugins/functions/other.py")" = other ]
}

@test "what services work with is kept once they do: not what was edited since, and anew where they start on another folder" {
    in_service 1 a
    strict keep_proved
    echo mine >"$ROOT/payload/app-a/plugins/functions/other.py"
    in_service 2 a
    strict keep_proved
    [ "$(cat "$ROOT/hot/app-a/plugins/functions/other.py")" = other ]
    in_service 3 b
    strict keep_proved
    [ "$(cat "$ROOT/hot/app-b/plugins/functions/other.py")" = mine ]
    in_service 4 a
    [ ! -e "$ROOT/hot/app-a" ]
    strict keep_proved
    [ "$(cat "$ROOT/hot/app-a/plugins/functions/other.py")" = mine ]
    [ ! -e "$ROOT/hot/app-a/config" ]
}

@test "what Python makes is no edit" {
    in_service 1 a
    mkdir "$ROOT/payload/app-a/plugins/functions/__pycache__"
    echo x >"$ROOT/payload/app-a/plugins/functions/__pycache__/time.pyc"
    in_service 2 b
    [ ! -e "$ROOT/payload/app-b/plugins/functions/__pycache__" ]
}

@test "what a killed run left half-made is made anew" {
    release 1 a
    mkdir -p "$ROOT"/payload/.partial-app-a/plugins "$ROOT/releases/.partial-1/x"
    echo half >"$ROOT/payload/.partial-app-a/plugins/half"
    in_service 1 a
    [ ! -e "$ROOT/payload/app-a/plugins/half" ]
    [ ! -e "$ROOT/releases/1/x" ]
}

@test "two bundles with one id are not taken for each other" {
    in_service 1 a
    echo '# other' >>"$BUNDLE/docker-compose-offline.yml"
    run strict switch_release
    [ "$status" -eq 1 ]
    [[ $output == *"another release called 1"* ]]
}

@test "three releases are kept, never the one in service or the former one, nor what a container mounts" {
    for id in 1 2 3 4 5; do in_service "$id" "$id"; done
    state_set former=1
    stub docker <<END
case "\$*" in
    'ps --all --quiet') echo c1 ;;
    'inspect '*) echo $ROOT/payload/app-2/plugins/functions ;;
    'ps --all --format'*) echo mini/app:300000000000 ;;
    'image ls'*) printf 'mini/app:%s00000000000\n' 1 2 3 4 5; echo mini/app:build ;;
esac
END
    strict prune_releases
    [ "$(cd "$ROOT/releases" && echo *)" = '1 4 5' ]
    [ "$(cd "$ROOT/payload" && echo *-?)" = 'app-1 app-2 app-4 app-5' ]
    [ "$(grep 'image rm' "$BATS_TEST_TMPDIR/calls")" = 'docker image rm mini/app:200000000000' ]
}

@test "logs of runs go after three months" {
    mkdir -p "$ROOT/logs"
    : >"$ROOT/logs/deploy-new.log"
    touch -d '100 days ago' "$ROOT/logs/deploy-old.log" "$ROOT/logs/deploy-old.log.exit" "$ROOT/audit.log"
    strict prune_logs
    [ "$(cd "$ROOT/logs" && echo *)" = deploy-new.log ]
    [ -e "$ROOT/audit.log" ]
}

@test "a payload folder that is not as it was shipped cannot be rolled back to; a hot module may be edited" {
    in_service 1 a
    (cd "$BUNDLE" && sha256sum config/start.sh plugins/functions/time.py) >"$ROOT/releases/1/SHA256SUMS"
    BUNDLE=$ROOT/releases/1
    cp "$FACTS" "$BUNDLE/scripts/facts.tsv"
    echo edited >"$ROOT/payload/app-a/plugins/functions/time.py"
    strict prove_payload
    echo broken >>"$ROOT/payload/app-a/config/start.sh"
    run strict prove_payload
    [ "$status" -eq 1 ]
    [[ $output == *"payload/app-a/config/start.sh"* ]]
}

@test "where SELinux enforces, everything that a container mounts gets its label" {
    stub getenforce <<<'echo Enforcing'
    stub chcon <<<'true'
    in_service 1 a
    labelled=$(sed -n 's/^chcon -R -t container_file_t -- //p' "$BATS_TEST_TMPDIR/calls")
    [[ $labelled == *"$ROOT/payload/.partial-app-a"* ]]
    [[ $labelled == *"$ROOT/shared/data"* ]]
}
