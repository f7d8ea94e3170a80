# One value of a YAML file, read and set without a parser.

setup() {
    source "$BATS_TEST_DIRNAME/deploy_library.bash"
    load_library
    FILE=$BATS_TEST_TMPDIR/config.yaml
}

content() {
    printf '%s\n' "$@" >"$FILE"
}

get() {
    yaml_get "$FILE" "${1:-manager-api.secret}"
}

# set_to VALUE [KEY]: what the file says afterwards.
set_to() {
    YAML_VALUE=$1 yaml_set "$FILE" "${2:-manager-api.secret}"
}

@test "what is absent, empty or null is unset" {
    [ "$(yaml_get "$BATS_TEST_TMPDIR/absent" a)" = unset ]
    for text in '' '# only a comment' 'server: 1' 'manager-api:' 'manager-api: null' 'manager-api: {}' \
        $'manager-api:\n  url: x' $'manager-api:\n  secret:' $'manager-api:\n  secret: ""' $'manager-api:\n  secret: '"''" \
        $'manager-api:\n  secret: ~  # none' $'manager-api:\n  secret: null'; do
        content "$text"
        [ "$(get)" = unset ]
    done
}

@test "a text is given without its quotes and its comment" {
    for text in 'secret: a-b' 'secret: "a-b"' "secret: 'a-b'" 'secret:   a-b   # mine' '"secret": a-b' "'secret' : a-b"; do
        content 'manager-api:' "    $text"
        [ "$(get)" = 'value a-b' ]
    done
    content 'manager-api:' '  url: http://a:1/b#c' '  secret: "a # b"'
    [ "$(get manager-api.url)" = 'value http://a:1/b#c' ]
    [ "$(get)" = 'value a # b' ]
}

@test "a key of that name elsewhere is another key" {
    content 'secret: top' 'other:' '  secret: theirs' '  manager-api:' '    secret: deep' 'text: |' '  manager-api:' \
        '    secret: told' 'manager-api:' '  nested:' '    secret: deeper' '  secret: mine' 'after:' '  secret: late'
    [ "$(get)" = 'value mine' ]
}

@test "what is no plain text, or not understood, is told apart" {
    for text in 'manager-api: {secret: a}' 'manager-api: [a]' 'manager-api: text' $'manager-api:\n- secret: a' \
        $'manager-api:\n  - secret: a' $'manager-api:\n  secret:\n    a: b' $'manager-api:\n  secret: |\n    a' \
        $'manager-api:\n  secret: "a' $'manager-api:\n  secret: &x a' $'manager-api:\n  secret:\n  - a' \
        $'manager-api:\n\tsecret: a' $'a: 1\n---\nmanager-api:\n  secret: b' $'manager-api:\n  secret: plain\n    goes on'; do
        content "$text"
        [ "$(get)" = other ]
        if set_to x >/dev/null; then return 1; fi
    done
}

@test "an empty value is filled in where it stands, and everything else stays byte for byte" {
    content '# head' 'server:' '  port: 1' '' 'manager-api:   # of the web' '    url: ""' '    secret: ""   # from the table' '' 'z: [1, 2]'
    expected=$(sed "s/    secret: \"\"   #/    secret: 'it''s' #/" "$FILE")
    [ "$(set_to "it's")" = "$expected" ]
}

@test "a missing key is added to its section, at that section's own depth" {
    content 'manager-api:' '    url: x' 'other: 1'
    [ "$(set_to v)" = $'manager-api:\n    secret: \'v\'\n    url: x\nother: 1' ]
    content 'a: 1' 'manager-api: null # none'
    [ "$(set_to v)" = $'a: 1\nmanager-api: # none\n  secret: \'v\'' ]
}

@test "a missing section is added at the end, also to a file without a last line end and to one with a document mark" {
    printf -- '---\na: 1' >"$FILE"
    [ "$(set_to v)" = $'---\na: 1\nmanager-api:\n  secret: \'v\'' ]
    : >"$FILE"
    [ "$(set_to v a.b.c)" = $'a:\n  b:\n    c: \'v\'' ]
}

@test "line ends of Windows stay what they are" {
    printf 'a: 1\r\nmanager-api:\r\n  secret:\r\n' >"$FILE"
    set_to v >"$FILE.new"
    [ "$(od -c "$FILE.new" | tr -d ' ')" = "$(printf "a: 1\r\nmanager-api:\r\n  secret: 'v'\r\n" | od -c | tr -d ' ')" ]
}

@test "a value is in no argv" {
    stub awk <<<'tr "\0" " " </proc/$$/cmdline >>"$BATS_TEST_TMPDIR/argv"; exec /usr/bin/awk "$@"'
    content 'manager-api:'
    set_to hidden-value >/dev/null
    [ -s "$BATS_TEST_TMPDIR/argv" ]
    if grep hidden-value "$BATS_TEST_TMPDIR/argv"; then return 1; fi
}
