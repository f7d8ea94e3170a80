# shellcheck shell=bash
# What the host owns: shared/, with owner and mode from facts.tsv whatever the umask is, and .env.

# lay_shared: makes what is not there; a file that the host has is never overwritten.
lay_shared() {
    local owner bundle source user mode flags
    local partial=$ROOT/.partial-shared
    while IFS=$'\t' read -r _ owner bundle source _ user mode flags _; do
        if [[ $owner != host ]]; then
            continue
        fi
        rm -rf -- "$partial"
        bring "$bundle" "$partial"
        if [[ ,$flags, == *,single,* ]]; then
            copy_absent "$partial" "$ROOT/$source" "$user" "$mode"
        else
            lay_folder "$partial" "$ROOT/$source" "$user" "$mode"
        fi
    done < <(records "$FACTS" mount)
    rm -rf -- "$partial"
}

# lay_folder FROM TO OWNER MODE
lay_folder() {
    local file
    make_parents "$2"
    if [[ ! -d $2 ]]; then
        mkdir -m 0700 -- "$2"
        label_for_containers "$2"
    fi
    if [[ $(stat -c '%u:%g %04a' -- "$2") != "$3 $4" ]]; then
        chown -- "$3" "$2"
        chmod -- "$4" "$2"
    fi
    if [[ ! -d $1 ]]; then
        return 0 # a release in service brings its facts, not these files
    fi
    while IFS= read -r -d '' file; do
        copy_absent "$1/$file" "$2/$file" "$3" "$4"
    done < <(cd -- "$1" && find . -type f -print0)
}

# copy_absent FROM TO OWNER MODE: one file; nothing where the host has one.
copy_absent() {
    local partial
    if [[ -e $2 || -L $2 || ! -e $1 ]]; then
        return 0
    fi
    make_parents "$2"
    partial=$(mktemp "${2%/*}/.new-XXXXXXXX")
    cp -- "$1" "$partial"
    if [[ -x $1 ]]; then chmod 0700 "$partial"; fi
    own "$partial" "$3" "$4"
    label_for_containers "$partial"
    lasting "$partial"
    mv -T -- "$partial" "$2"
}

# make_parents PATH: those above it, for everyone to pass through; their own modes are kept where they exist.
make_parents() {
    (umask 022 && mkdir -p -- "${1%/*}")
}

# lay_env: the host's own settings; secrets are made once, from /dev/urandom, and never shown.
lay_env() {
    replace_file "$ROOT/.env" 0600 env_lines
}

env_lines() {
    local name secret
    printf 'COMPOSE_PROJECT_NAME=%s\nSTACK_ROOT=%s\n' "$STACK" "$ROOT"
    if [[ -f $ROOT/.env ]]; then
        sed -E '/^(COMPOSE_PROJECT_NAME|STACK_ROOT)=/d' "$ROOT/.env"
    fi
    while IFS= read -r name; do
        if [[ ! -f $ROOT/.env ]] || ! grep -qE "^$name=." "$ROOT/.env"; then
            secret=$(adopted_secret "$name")
            if [[ -z $secret ]]; then
                secret=$(new_secret "$name")
            fi
            printf '%s=%s\n' "$name" "$secret"
        fi
    done < <(records "$FACTS" secret)
}

# new_secret NAME: 32 letters and digits; 1024 random bytes hold about 240 of them.
new_secret() {
    local made
    made=$(head -c 1024 /dev/urandom | tr -dc 'A-Za-z0-9' | cut -c 1-32)
    if ((${#made} != 32)); then
        stop_with secret_failed "$1"
    fi
    printf '%s' "$made"
}
