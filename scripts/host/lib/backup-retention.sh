# shellcheck shell=bash
# Which backups stay. Older ones go only after a new one was verified, one by one and by their names.

declare -gA KEPT_BACKUPS # unless somebody has said otherwise
KEPT_BACKUPS=([last]=7 [daily]=7 [weekly]=4)

# surplus_backups LAST DAILY WEEKLY NAME...: of the names on stdin those that can go. There stay the newest LAST, the newest
# of each of DAILY days and of WEEKLY weeks from Monday (those that have one, in UTC), each NAME, and the newest of all.
surplus_backups() {
    sort -ru | awk -v last="$1" -v daily="$2" -v weekly="$3" -v needed=" ${*:4} " '
        function week_of(name, year, month) {
            year = substr(name, 1, 4)
            month = (substr(name, 5, 2) + 9) % 12 # from March, so that a leap day is the last
            if (month > 9) year--
            return int((365 * year + int(year / 4) - int(year / 100) + int(year / 400) + int((month * 306 + 5) / 10) + substr(name, 7, 2) + 1) / 7)
        }
        {
            stays = NR == 1 || NR <= last || index(needed, " " $0 " ")
            day = substr($0, 1, 8)
            if (!(day in days)) { days[day]; stays += ++day_count <= daily }
            week = week_of($0)
            if (!(week in weeks)) { weeks[week]; stays += ++week_count <= weekly }
            if (!stays) print
        }'
}

# prune_backups: a step, after the one that state names was verified.
prune_backups() {
    local name good
    local -a needed
    good=$(good_backups)
    mapfile -t needed < <(needed_backups)
    for name in $(surplus_backups "$(kept_backups last)" "$(kept_backups daily)" "$(kept_backups weekly)" \
        ${needed[@]+"${needed[@]}"} <<<"$good"); do
        say backup_pruned "$name"
        audit_log backup-pruned "$name"
        remove_backup "$name"
    done
    prune_logs # of a backup every night
}

# kept_backups KIND: how many of that kind stay.
kept_backups() {
    local number
    number=$(state_get "keep_$1")
    printf '%s' "${number:-${KEPT_BACKUPS[$1]}}"
}

# good_backups: as far as their sizes tell; whoever gave a copy another name wants to keep it. A damaged one does not count,
# and is left for people to look at.
good_backups() {
    local name
    for name in $(list_backups); do
        if [[ ! $name =~ ^[0-9]{8}-[0-9]{6}$ ]]; then
            continue
        elif backup_stands "$ROOT/backups/$name"; then
            printf '%s\n' "$name"
        else
            warn backup_damaged "$name"
        fi
    done
}

# needed_backups: the one just made (a clock may have been set back), the one that a killed deploy made, the last one that
# was restored for a test, and the newest of each release that can be put back. Of those in `good` of the caller.
needed_backups() {
    local id name drilled
    printf '%s\n' "$(state_get backup)" "$(state_get deploy_backup)"
    drilled=$(last_drill)
    printf '%s\n' "${drilled#*$'\t'}"
    for id in $(kept_releases); do
        for name in $good; do
            if [[ $(fact "$ROOT/backups/$name/manifest.tsv" release) == "$id" ]]; then
                printf '%s\n' "$name"
                break
            fi
        done
    done
}

# remove_backup NAME: while it goes it does not look like one.
remove_backup() {
    local going=$ROOT/backups/.partial-$1
    mv -T -- "$ROOT/backups/$1" "$going" && rm -rf -- "$going"
}
