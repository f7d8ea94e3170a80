# shellcheck shell=bash disable=SC2034,SC2153 # the entry scripts and the library share globals
# Hot modules go live: compiled first, by the Python that will run them; then renamed into place, their services restarted
# and asked; kept as proved, or taken back. Until the last step what is proved stays as it was, so that after a kill at any
# moment the next run sees the same differences, and does the same again.

HOT_WORK=    # what is to go live, taken once, so that what is compiled is what is kept
HOT_DUE=     # the services that start on other files than before, separated by blanks; a killed run may have left some
HOT_TIME=    # of this run, for what it puts aside
HOT_WORDS=10 # lines of a service's log that are shown at the end
# Isolated, without site-packages, and nothing is run. A file a line that does not compile: path, line, why.
HOT_COMPILE='
import sys, tarfile
flawed = False
archive = tarfile.open(fileobj=sys.stdin.buffer, mode="r|")
for member in archive:
    try:
        compile(archive.extractfile(member).read(), member.name, "exec", dont_inherit=True)
    except Exception as error:
        flawed = True
        words = (member.name, getattr(error, "lineno", None) or "-", getattr(error, "msg", None) or repr(error))
        sys.stdout.buffer.write(("%s\t%s\t%s\n" % words).encode("utf-8", "replace"))
sys.exit(3 if flawed else 0)
'

# compile_changed: the step; until here nothing has changed.
compile_changed() {
    local service flaws='' said
    rm -rf -- "$HOT_WORK"
    (umask 077 && mkdir -- "$HOT_WORK")
    take_hot_files
    show_hot_rows
    for service in $(hot_rows | cut -f 1 | sort -u); do
        said=$(compile_for "$service")
        flaws+=${said:+$said$'\n'}
    done
    if [[ -n $flaws ]]; then
        show_flaws <<<"${flaws%$'\n'}"
        stop_with hot_not_compiled
    fi
}

# take_hot_files: into $HOT_WORK, with the owner and mode that they will have.
take_hot_files() {
    local folder path change origin new
    while IFS=$'\t' read -r _ folder path change origin; do
        new=$HOT_WORK/$folder/$path
        mkdir -p -- "${new%/*}"
        if [[ $origin == here && $change != deleted ]]; then
            cp -p -- "$ROOT/$folder/$path" "$new"
        elif [[ $origin == sent ]]; then
            cp -- "$SENT/$path" "$new"
            dress "$new" "$ROOT/$folder/$path" "$path"
        fi
    done < <(hot_rows)
}

# dress NEW LIVE PATH: as the file that it replaces, or as a deploy would have laid it out.
dress() {
    local owner mode
    if [[ -e $2 ]]; then
        chown --reference="$2" -- "$1"
        chmod --reference="$2" -- "$1"
    else
        read -r _ owner mode < <(hot_owners "$3")
        own "$1" "$owner" "$mode"
    fi
}

# show_hot_rows: what goes live, and by how many lines it differs from what is proved.
show_hot_rows() {
    local service folder path change
    while IFS=$'\t' read -r service folder path change _; do
        say hot_change "$service" "$path" "$change" "$(changed_lines "$(proved_place "$folder")/$path" "$HOT_WORK/$folder/$path")"
    done < <(hot_rows)
}

# changed_lines OLD NEW: `+3 -1`.
changed_lines() {
    local old=/dev/null new=/dev/null
    if [[ -e $1 ]]; then old=$1; fi
    if [[ -e $2 ]]; then new=$2; fi
    { diff --text -- "$old" "$new" || true; } | awk '/^>/ { more++ } /^</ { less++ } END { printf "+%d -%d", more, less }'
}

# compile_for SERVICE: says what does not compile; fails where nobody can tell.
compile_for() {
    local paths image python said code=0
    paths=$(hot_rows | awk -F '\t' -v service="$1" '$1 == service && $4 != "deleted" && $3 ~ /\.py$/ { print $2 "/" $3 }')
    if [[ -z $paths ]]; then
        return 0
    fi
    image=$(image_of "$1")
    python=$(python_of "$1")
    said=$(tar -C "$HOT_WORK" -cf - -T <(printf '%s\n' "$paths") |
        docker run --rm --interactive --network none --entrypoint "$python" "$image" -I -S -W ignore -c "$HOT_COMPILE" 2>"$HOT_WORK/words") || code=$?
    if ((code != 0 && code != 3)); then
        cat -- "$HOT_WORK/words" >&2
        stop_with hot_no_python "$image" "$python"
    fi
    printf '%s' "$said"
}

# python_of SERVICE: the one that its container is started with; else what the image calls python3.
python_of() {
    local word
    for word in $(docker inspect --type container --format '{{.Path}} {{join .Args " "}}' "$1" 2>/dev/null); do
        if [[ ${word##*/} == python* ]]; then
            printf '%s' "$word"
            return
        fi
    done
    printf 'python3'
}

# show_flaws: of what does not compile; a file edited in its place is there for the next start to trip over.
show_flaws() {
    local place line why folder path
    while IFS=$'\t' read -r place line why; do
        folder=$(cut -d / -f 1,2 <<<"$place")
        path=${place#"$folder/"}
        fail hot_syntax "$path" "$line" "$why"
        if hot_rows | grep -qF -- "$folder"$'\t'"$path"$'\t' && cmp -s -- "$HOT_WORK/$place" "$ROOT/$place"; then
            warn hot_on_disk "$ROOT/$place" "$(proved_place "$folder")/$path"
        fi
    done
}

# replace_files: the step. A file that was edited in its place is there already.
replace_files() {
    local service folder path origin live new kept
    state_set "hot=$HOT_DUE"
    while IFS=$'\t' read -r service folder path _ origin; do
        live=$ROOT/$folder/$path new=$HOT_WORK/$folder/$path
        if same_files "$new" "$live"; then
            continue
        elif [[ $origin == here ]]; then
            stop_with hot_moving "$live"
        fi
        if [[ -e $live ]] && ! cmp -s -- "$live" "$(proved_place "$folder")/$path"; then
            kept=$(keep_aside "$live" edited "$service" "$path")
            say hot_kept_edited "$service" "$path" "$kept"
        fi
        put_file "$new" "$live"
    done < <(hot_rows)
}

# same_files ONE OTHER: the same bytes, or both absent.
same_files() {
    if [[ -e $1 && -e $2 ]]; then
        cmp -s -- "$1" "$2"
    else
        [[ ! -e $1 && ! -e $2 ]]
    fi
}

# put_file FROM TO: with its owner and mode; a reader sees the old file or the new one, whole.
put_file() {
    local partial
    mkdir -p -- "${2%/*}"
    rm -f -- "${2%/*}"/.new-* # of a killed run
    partial=$(mktemp "${2%/*}/.new-XXXXXXXX")
    cp -p -- "$1" "$partial"
    label_for_containers "$partial"
    lasting "$partial"
    mv -T -- "$partial" "$2"
}

# keep_aside FILE WHY SERVICE PATH: a copy in drift/, by the time of this run; says where.
keep_aside() {
    local kept=$ROOT/drift/$HOT_TIME-$2/$3/$4
    mkdir -p -- "${kept%/*}"
    cp -p -- "$1" "$kept"
    printf '%s' "$kept"
}

# updated_services: those in the mode that start on other files than before, in start order.
updated_services() {
    local service
    for service in $(services_of "$FACTS" "$MODE"); do
        if [[ " $(state_get hot) " == *" $service "* ]]; then
            printf '%s\n' "$service"
        fi
    done
}

restart_updated() {
    local service
    for service in $(updated_services); do
        state_set "service=$service"
        say restart_one "$service"
        docker restart --time "$(stop_grace "$service")" "$service" >/dev/null
        await_service "$service"
    done
}

check_updated() {
    local -a services
    mapfile -t services < <(updated_services)
    await_services ${services[@]+"${services[@]}"}
}

# keep_updated: the step that makes it so: what went live is proved now, and what was before is kept.
keep_updated() {
    local service folder path change proved new kept
    while IFS=$'\t' read -r service folder path change _; do
        proved=$(proved_place "$folder")/$path new=$HOT_WORK/$folder/$path
        if same_files "$new" "$proved"; then
            continue
        fi
        if [[ -e $proved ]]; then
            kept=$(keep_aside "$proved" former "$service" "$path")
            say hot_kept_former "$service" "$path" "$kept"
        fi
        if [[ -e $new ]]; then
            (umask 077 && put_file "$new" "$proved")
        else
            rm -f -- "$proved"
        fi
        audit_log hot-update "$service" "$path" "$change"
    done < <(hot_rows)
    state_set hot=
}

# put_proved_back: what did not go well is kept aside, and the files with which the services last worked are live again.
put_proved_back() {
    local service folder path live proved kept
    while IFS=$'\t' read -r service folder path _; do
        live=$ROOT/$folder/$path proved=$(proved_place "$folder")/$path
        if same_files "$proved" "$live"; then
            continue
        fi
        if [[ -e $live ]]; then
            kept=$(keep_aside "$live" rejected "$service" "$path")
            warn hot_kept_rejected "$service" "$path" "$kept"
        fi
        if [[ -e $proved ]]; then
            put_file "$proved" "$live"
        else
            rm -f -- "$live"
        fi
    done < <(hot_rows)
}

# serve_as_before: the step that takes a hot update back.
serve_as_before() {
    put_proved_back
    restart_updated
    check_updated
    state_set hot=
}

# take_sent_back: nothing has started on the new files: those that were sent go, and an edit in its place stays where it is.
take_sent_back() {
    HOT_ROWS_FOUND=$(hot_rows | awk -F '\t' '$5 == "sent"')
    put_proved_back
    state_set hot=
}

# last_words: of the services that were restarted. What cannot be shown makes nothing fail.
last_words() {
    local service
    for service in $HOT_DUE; do
        if has_service "$FACTS" "$MODE" "$service"; then
            say hot_words "$service"
            { docker logs --tail "$HOT_WORDS" "$service" 2>&1 || true; } | cut -c 1-400 >&2
        fi
    done
}
