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
    if [[ ! -e $2 && ! -L $2 && -e $1 ]]; then
        lay_file "$@"
    fi
}

# lay_file FROM TO OWNER MODE: whole or not at all.
lay_file() {
    local partial
    make_parents "$2"
    partial=$(mktemp "${2%/*}/.new-XXXXXXXX")
    cp -- "$1" "$partial"
    if [[ -x $1 ]]; then chmod 0700 "$partial"; fi
    own "$partial" "$3" "$4"
    label_for_containers "$partial"
    lasting "$partial"
    mv -T -- "$partial" "$2"
}

# lay_defaults FOLDER: what the release ships for shared/ as it is, so that the next one can tell what it changes of it.
lay_defaults() {
    local owner bundle
    (umask 077 && mkdir -p -- "$1/.defaults")
    while IFS=$'\t' read -r _ owner bundle _; do
        if [[ $owner == host ]]; then
            bring "$bundle" "$1/.defaults/$bundle"
        fi
    done < <(records "$FACTS" mount)
    chmod -R go= -- "$1/.defaults"
}

# offer_defaults FORMER: the host's own file stays; where this release changes what was shipped for it, the new one is laid
# beside it, and what changed is shown: of the two as they were shipped, so nothing of the host's own file.
offer_defaults() {
    local owner bundle source user mode path
    local was=$ROOT/releases/$1/.defaults now
    now=$ROOT/releases/$(fact "$FACTS" id)/.defaults
    while IFS=$'\t' read -r _ owner bundle source _ user mode _; do
        if [[ $owner != host || ! -e $was || ! -e $now/$bundle ]]; then
            continue
        fi
        while IFS= read -r -d '' path; do
            path=${path#"$now/$bundle"}
            offer_default "$was/$bundle$path" "$now/$bundle$path" "$ROOT/$source$path" "$user" "$mode"
        done < <(find "$now/$bundle" -type f -print0)
    done < <(records "$FACTS" mount)
}

# offer_default WAS NOW OWN OWNER MODE
offer_default() {
    if [[ ! -e $3 ]] || cmp -s -- "$2" "$3" || cmp -s -- "$1" "$2"; then
        return 0
    fi
    lay_file "$2" "$3.new" "$4" "$5"
    say default_changed "$3" "$3.new"
    if [[ -e $1 ]]; then
        show_changes "$1" "$2"
    fi
}

MOST_CHANGES=60 # lines

# show_changes OLD NEW: no value of what is called a key, a secret, a token or a password.
show_changes() {
    { diff --unified=1 -- "$1" "$2" || true; } |
        sed -E '1,2d; s/((secret|token|passw|key)[a-z0-9_.-]*["'\'']?[[:space:]]*[:=][[:space:]]*).+/\1***/I' |
        awk -v most="$MOST_CHANGES" 'NR <= most { print "  " substr($0, 1, 400) } NR == most { print "  ..." }' >&2
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
