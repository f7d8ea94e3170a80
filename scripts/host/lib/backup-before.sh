# shellcheck shell=bash disable=SC2034,SC2153 # the entry scripts and the library share globals
# The backup that a deploy makes of the release in service, before another one takes its place. `deploy_backup` in state
# names it until that is done or taken back: a deploy that was killed may have changed the data since.

# backup_before: a step. What it makes is of the release in service, so that one is looked at and not the new one.
backup_before() {
    local current
    current=$(state_get current)
    if [[ -z $current ]]; then
        say backup_not_due
    elif [[ $current == "$(fact "$FACTS" id)" ]]; then
        say backup_same "$current"
    elif [[ $BACKUP_WANTED == no ]]; then
        audit_log no-backup "$current"
        warn backup_unwanted "$current"
    elif backup_of_killed "$current"; then
        state_set "backup=$(state_get deploy_backup)"
        say backup_taken "$(state_get deploy_backup)"
    else
        BUNDLE=$ROOT/releases/$current
        FACTS=$BUNDLE/scripts/facts.tsv
        MODE=$(state_get mode)
        make_backup
        state_set "deploy_backup=$(state_get backup)"
        run_step prune prune_backups
        ((STEP_CODE == 0)) || warn backup_unpruned "$(state_get backup)"
    fi
}

# backup_is_due: for the preflight.
backup_is_due() {
    local current
    current=$(state_get current)
    [[ $BACKUP_WANTED == yes && -n $current && $current != "$(fact "$FACTS" id)" ]]
}

# backup_of_killed RELEASE: a deploy over it was killed after its backup, and that is whole.
backup_of_killed() {
    local name
    name=$(state_get deploy_backup)
    [[ -n $name && -d $ROOT/backups/$name && -z $(backup_flaws "$ROOT/backups/$name") &&
    $(fact "$ROOT/backups/$name/manifest.tsv" release) == "$1" ]]
}
