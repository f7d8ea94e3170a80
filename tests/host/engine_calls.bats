# What the host scripts ask of the engine, of Compose and of the firewall. Each is shown on real hosts too (tests/airgap).

setup() {
    source "$BATS_TEST_DIRNAME/deploy_library.bash"
    load_library
    printf '%s\n' 'id	2' 'stack	mini' 'mode	all	mini-db,mini-web' 'mode	single	mini-web' 'service	mini-db	db	all	60' \
        'service	mini-web	web	all,single	10' 'port	mini-web	8002	80	tcp' 'port	mini-db	-	3306	tcp' \
        'image	db	mini/db:0123456789ab	mini:db	sha256:aa	sha256:bb' 'layer	db	0	sha256:l0	sha256:x	1' 'layer	db	1	sha256:l1	sha256:y	1' \
        'first_run	mini-web	mini-db	data/.config.yaml	api.secret	mini-web	sh	-c	echo it' \
        'first_run_also	data/.config.yaml	api.url	http://mini-web' >"$FACTS"
}

calls() {
    cat "$BATS_TEST_TMPDIR/calls"
}

@test "Compose is the flavour that made the containers; on a bare host the plugin, else the program" {
    stub docker-compose <<<'true'
    for made in 1.29.2 2.26.1 ''; do
        stub docker <<<"[[ \$1 == ps ]] && echo $made; true"
        compose_choose
        printf '%s ' "${COMPOSE[*]}"
    done >"$BATS_TEST_TMPDIR/chosen"
    [ "$(cat "$BATS_TEST_TMPDIR/chosen")" = 'docker-compose docker compose docker compose ' ]
    stub docker <<<'[[ $1 == ps ]]'
    compose_choose
    [ "${COMPOSE[*]}" = docker-compose ]
}

@test "what the caller exports does not stand in for the host's own settings" {
    echo 'secret	DB_PASSWORD' >>"$FACTS"
    stub docker-compose <<<'env >"$BATS_TEST_TMPDIR/environment"'
    COMPOSE=(docker-compose)
    export DB_PASSWORD=x COMPOSE_FILE=y COMPOSE_PROJECT_NAME=z STACK_ROOT=/w
    compose up
    if grep -E '^(DB_PASSWORD|COMPOSE_[A-Z_]*|STACK_ROOT)=' "$BATS_TEST_TMPDIR/environment"; then return 1; fi
    [[ $(calls) == *"--project-name mini --file $BUNDLE/docker-compose-offline.yml up"* ]]
}

@test "a container called <hash>_name gets its name back; beside one of that name it is ended in good order" {
    stub docker <<'END'
case "$*" in
    *com.docker.compose.service*) printf 'mini-web 111 abc_mini-web\nmini-db 222 mini-db\nmini-db 333 def_mini-db\n' ;;
    *'name=^/mini-db$'*) echo 222 ;;
esac
END
    strict repair_names
    [ "$(calls | grep -E '^docker (rename|stop|rm) ')" = $'docker rename 111 mini-web\ndocker stop --time 60 333\ndocker rm 333' ]
}

@test "services of another mode are stopped with their grace, and no volume or folder is touched" {
    MODE=single
    stub docker <<<'[[ $1 == ps ]] && printf "1 mini-db\n2 mini-web\n"; true'
    strict stop_others
    [ "$(calls | grep -v '^docker ps')" = $'docker stop --time 60 1\ndocker rm 1' ]
}

@test "an image is proved by id, layers and by creating a container; both kinds of store" {
    for id in sha256:aa sha256:bb; do
        stub docker <<<"[[ \$1 == image ]] && echo '$id sha256:l0,sha256:l1,'; true"
        [ -z "$(flaws_of_images)" ]
    done
    stub docker <<<'[[ $1 == image ]] && echo "sha256:cc sha256:l0,sha256:l1,"; true'
    [[ $(flaws_of_images) == $'mini/db:0123456789ab\tid sha256:cc' ]]
    stub docker <<<'[[ $1 == image ]] && echo "sha256:aa sha256:l0,"; true'
    [[ $(flaws_of_images) == *layers* ]]
    stub docker <<'END'
[[ $1 == image ]] && echo "sha256:aa sha256:l0,sha256:l1,"
[[ $1 != create ]] || { echo "content digest sha256:y: not found" >&2; exit 1; }
END
    [[ $(flaws_of_images) == *'not found'* ]]
}

@test "what does not prove loses its tag, unless a container uses it" {
    stub docker <<<'[[ $1 == image && $2 == inspect ]] && echo "sha256:cc x"; true'
    run strict prove_images
    [ "$status" -eq 1 ]
    calls | grep -q 'docker image rm mini/db:0123456789ab'
    rm "$BATS_TEST_TMPDIR/calls"
    stub docker <<<'[[ $* == *ancestor* ]] && echo c1; [[ $1 == image && $2 == inspect ]] && echo "sha256:cc x"; true'
    run strict prove_images
    if calls | grep 'image rm'; then return 1; fi
}

@test "ports are opened now and for the next start, and firewalld is never reloaded" {
    stub firewall-cmd <<<'[[ $* != *--query-port* ]]'
    strict open_firewall
    [ "$(calls | grep -o -- '--add-port.*\|--permanent.*\|--reload')" = $'--add-port=8002/tcp\n--permanent --add-port=8002/tcp' ]
}

@test "firewalld that is not running, or is to be left alone, is left alone" {
    stub firewall-cmd <<<'[[ $* != *--state* ]]'
    strict open_firewall
    FIREWALL=no
    stub firewall-cmd <<<'true'
    strict open_firewall
    if calls | grep add-port; then return 1; fi
}

@test "a first-run value is awaited, and null is no value" {
    stub docker <<'END'
[[ $1 == exec ]] || exit 0
echo . >>"$BATS_TEST_TMPDIR/asked"
case $(wc -l <"$BATS_TEST_TMPDIR/asked") in
    1) exit 1 ;;
    2) echo null ;;
    *) echo it-is ;;
esac
END
    mkdir -p "$ROOT/shared/data"
    printf '# mine\nother: 1\n' >"$ROOT/shared/data/.config.yaml"
    strict first_run_before mini-web
    [ "$(cat "$ROOT/shared/data/.config.yaml")" = $'# mine\nother: 1\napi:\n  url: \'http://mini-web\'\n  secret: \'it-is\'' ]
    [ "$(stat -c %a "$ROOT/shared/data/.config.yaml")" = 600 ]
    [ "$(calls | tail -n 2 | head -n 1)" = 'docker exec mini-db sh -c echo it' ] || calls | grep -q '^docker exec mini-db sh -c echo it$'
}

@test "an operator's value is not overwritten, and nothing is asked then" {
    stub docker <<<'true'
    mkdir -p "$ROOT/shared/data"
    printf 'api:\n  secret: mine\n  url: http://elsewhere\n' >"$ROOT/shared/data/.config.yaml"
    strict first_run_before mini-web
    [ "$(cat "$ROOT/shared/data/.config.yaml")" = $'api:\n  secret: mine\n  url: http://elsewhere' ]
    [ ! -e "$BATS_TEST_TMPDIR/calls" ]
}

@test "in a mode without its maker the setting that leads there is taken back, an operator's own stays" {
    MODE=single
    sed -i 's/^first_run	mini-web	/first_run	mini-db	/' "$FACTS"
    stub docker <<<'true'
    mkdir -p "$ROOT/shared/data"
    printf "api:\n  url: 'http://mini-web'\n  secret: s\n" >"$ROOT/shared/data/.config.yaml"
    strict first_run_before mini-web
    [ "$(cat "$ROOT/shared/data/.config.yaml")" = $'api:\n  url: \'\'\n  secret: s' ]
    printf 'api:\n  url: http://mine\n' >"$ROOT/shared/data/.config.yaml"
    strict first_run_before mini-web
    [ "$(cat "$ROOT/shared/data/.config.yaml")" = $'api:\n  url: http://mine' ]
}

@test "a failed step stops there, and says in state which it was" {
    works() { :; }
    breaks() {
        false
        touch "$BATS_TEST_TMPDIR/went-on"
    }
    run strict run_step load breaks
    [ ! -e "$BATS_TEST_TMPDIR/went-on" ]
    [ "$(state_get step) $(state_get phase)" = 'load begin' ]
    strict run_step prove works 2>/dev/null
    [ "$(state_get step) $(state_get phase)" = 'prove end' ]
}

@test "status is JSON whatever the names hold" {
    json_text $'a "b" \\ \t 密钥 \x01 \xff' >"$BATS_TEST_TMPDIR/json"
    [ "$(cat "$BATS_TEST_TMPDIR/json")" = '"a \"b\" \\ \u0009 ?????? \u0001 ?"' ]
    [ "$(json_text '密钥')" = '"密钥"' ]
    [ "$(printf 'a\nb"\n' | json_texts)" = '["a","b\""]' ]
    [ "$(json_texts </dev/null)" = '[]' ]
}
