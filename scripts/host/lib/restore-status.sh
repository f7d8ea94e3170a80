# shellcheck shell=bash
# What `status` tells of restored data: what lies aside, when a backup was last restored for a test, what is half done.

status_restore_text() {
    local when backup
    if [[ -f $ROOT/exchange ]]; then
        warn status_exchange "$(fact "$ROOT/exchange" mark)"
    fi
    IFS=$'\t' read -r when backup < <(last_drill) || true # none yet
    if [[ -n $when ]]; then
        say status_drilled "$when" "$backup"
    elif [[ -n $(list_backups) ]]; then
        warn status_never_drilled
    fi
    set_aside_text
}

# set_aside_text: a line for each restore that left something.
set_aside_text() {
    local all when paths
    all=$(set_aside)
    while read -r when; do
        paths=$(sed -n "/-restore-$when\$/p" <<<"$all")
        say status_set_aside "$when" "$(human_bytes "$(tr '\n' '\0' <<<"$paths" | du -csb --files0-from=- | tail -n 1 | cut -f 1)")" \
            "$(tr '\n' ' ' <<<"$paths")" "$when"
    done < <(awk -F '-restore-' 'NF > 1 && !seen[$NF]++ { print $NF }' <<<"$all")
}

# status_restore_json: fields of the object, each with its comma before it.
status_restore_json() {
    local when='' backup=''
    IFS=$'\t' read -r when backup < <(last_drill) || true # none yet
    printf ',"drill":{"passed":%s,"backup":%s},"set_aside":%s,"half_restored":%s' "$(json_text "$when")" "$(json_text "$backup")" \
        "$(set_aside | json_texts)" "$(if [[ -f $ROOT/exchange ]]; then printf true; else printf false; fi)"
}
