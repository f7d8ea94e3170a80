# Which backups stay, over days and over a year; what a day's own backup needs; how status speaks of them.

setup() {
    source "$BATS_TEST_DIRNAME/deploy_library.bash"
    load_library
    mkdir -p "$ROOT/backups" "$ROOT/releases/20260101-000000/scripts"
    printf 'current=20260101-000000\n' >"$ROOT/state"
}

# stays LAST DAILY WEEKLY NAME...: of the names on stdin those that are not surplus.
stays() {
    local all
    all=$(cat)
    grep -vxFf <(surplus_backups "$@" <<<"$all") <<<"$all" || true
}

# made NAME [RELEASE]: a backup of one file.
made() {
    local folder=$ROOT/backups/$1
    mkdir -p "$folder"
    echo content >"$folder/data.tar.gz"
    printf '%s\n' 'format	1' "id	$1" "release	${2:-20250101-000000}" "created	$(date -u +%FT%TZ)" \
        'member	data	files	data.tar.gz	8	x	8	shared/data' >"$folder/manifest.tsv"
    printf 'sealed\t%s\n' "$(sha256sum <"$folder/manifest.tsv" | cut -c 1-64)" >>"$folder/manifest.tsv"
}

# pruned KEEP...: the rest, after what is remembered so.
pruned() {
    state_set "$@"
    strict prune_backups 2>/dev/null
    ls "$ROOT/backups"
}

@test "the newest stay, then one a day, then one a week" {
    names=$'20260105-020000\n20260105-120000\n20260106-020000\n20260107-020000\n20260107-030000\n20260112-020000'
    [ "$(stays 2 0 0 <<<"$names")" = $'20260107-030000\n20260112-020000' ]
    [ "$(stays 1 3 0 <<<"$names")" = $'20260106-020000\n20260107-030000\n20260112-020000' ]
    [ "$(stays 1 0 2 <<<"$names")" = $'20260107-030000\n20260112-020000' ]
}

@test "a week begins on Monday, also across a year and a leap day" {
    # Sunday, Monday; Wednesday to Thursday over New Year; Saturday to Sunday over a leap day
    [ "$(stays 1 0 9 <<<$'20260104-020000\n20260105-020000')" = $'20260104-020000\n20260105-020000' ]
    [ "$(stays 1 0 9 <<<$'20251231-020000\n20260101-020000')" = 20260101-020000 ]
    [ "$(stays 1 0 9 <<<$'20280226-020000\n20280229-020000\n20280305-020000\n20280306-020000')" = $'20280226-020000\n20280305-020000\n20280306-020000' ]
    local day=20260105 # a Monday
    for week in 1 2 3 4 5; do
        sunday=$(date -u -d "$day + 6 days" +%Y%m%d)
        [ "$(stays 1 0 9 <<<"$day-000000"$'\n'"$sunday-235959")" = "$sunday-235959" ]
        day=$(date -u -d "$day + 73 weeks" +%Y%m%d)
    done
}

@test "the newest of all stays whatever is asked for, and so does what is needed" {
    names=$'20260105-020000\n20260106-020000\n20260107-020000'
    [ "$(stays 0 0 0 <<<"$names")" = 20260107-020000 ]
    [ "$(stays 1 0 0 20260105-020000 <<<"$names")" = $'20260105-020000\n20260107-020000' ]
    [ -z "$(surplus_backups 1 1 1 </dev/null)" ]
}

@test "over a year with a backup every day and some beside it never empties, and keeps what its settings say" {
    local names='' day deploy=''
    for ((day = 0; day < 365; day++)); do
        today=$(date -u -d "20260101 + $day days" +%Y%m%d)
        names+=${names:+$'\n'}$today-020000
        if ((day % 9 == 0)); then
            deploy=$today-140000
            names+=$'\n'$deploy
        fi
        names=$(stays 7 7 4 "$deploy" <<<"$names")
        newest=$(tail -n 1 <<<"$names")
        [[ $newest == "$today-"* ]]
        grep -qxF "$deploy" <<<"$names"
        (($(wc -l <<<"$names") <= 7 + 7 + 4 + 1))
        ((day < 60)) || (($(wc -l <<<"$names") >= 9))
    done
    # of the fourth week back its Sunday, at the least fifteen days ago
    oldest=$(head -n 1 <<<"$names")
    (($(date -u -d "${today}" +%s) - $(date -u -d "${oldest%-*}" +%s) >= 15 * 86400))
}

@test "what is remembered decides, and what goes is in the audit log" {
    made 20260105-020000
    made 20260106-020000
    made 20260107-020000
    state_set backup=20260107-020000
    [ "$(pruned keep_last=2 keep_daily=0 keep_weekly=0)" = $'20260106-020000\n20260107-020000' ]
    grep -q $'backup-pruned\t20260105-020000' "$ROOT/audit.log"
    [ -z "$(ls -A "$ROOT/backups" | grep partial)" ]
}

@test "unless somebody has said so, seven, seven and four stay" {
    local day
    for day in {01..12}; do made "202601$day-020000"; done
    strict prune_backups
    # the newest seven days, and the Sunday of the week before
    [ "$(ls "$ROOT/backups")" = "$(printf '202601%s-020000\n' 04 {06..12})" ]
}

@test "the newest of a kept release, the last one that was restored for a test, and one just made stay" {
    made 20260101-020000 20260101-000000
    made 20260102-020000
    printf 'drill\t2026-01-02T03:00:00Z\tok\t9\tdata\n' >>"$ROOT/backups/20260102-020000/manifest.tsv"
    sed -i '/^sealed/d' "$ROOT/backups/20260102-020000/manifest.tsv"
    printf 'sealed\t%s\n' "$(sha256sum <"$ROOT/backups/20260102-020000/manifest.tsv" | cut -c 1-64)" >>"$ROOT/backups/20260102-020000/manifest.tsv"
    made 20260103-020000 # with a clock that was set back since
    made 20260104-020000
    made 20260105-020000
    state_set backup=20260103-020000
    [ "$(pruned keep_last=1 keep_daily=0 keep_weekly=0)" = $'20260101-020000\n20260102-020000\n20260103-020000\n20260105-020000' ]
}

@test "a damaged one does not count and is not removed, nor is what has another name" {
    made 20260105-020000
    made 20260106-020000
    echo more >>"$ROOT/backups/20260106-020000/data.tar.gz"
    made 20260101-020000-before-the-move
    mkdir "$ROOT/backups/20260102-020000"
    [ "$(pruned keep_last=1 keep_daily=0 keep_weekly=0)" = $'20260101-020000-before-the-move\n20260102-020000\n20260105-020000\n20260106-020000' ]
    run strict prune_backups
    [[ $status -eq 0 && $output == *'Backup 20260106-020000 is damaged'* ]]
}

@test "one that is a link goes as a link" {
    made 20260106-020000
    mkdir "$BATS_TEST_TMPDIR/elsewhere"
    made 20260105-020000
    mv "$ROOT/backups/20260105-020000" "$BATS_TEST_TMPDIR/elsewhere/"
    ln -s "$BATS_TEST_TMPDIR/elsewhere/20260105-020000" "$ROOT/backups/20260105-020000"
    [ "$(pruned keep_last=1 keep_daily=0 keep_weekly=0)" = 20260106-020000 ]
    [ -f "$BATS_TEST_TMPDIR/elsewhere/20260105-020000/manifest.tsv" ]
}

@test "with systemd a timer starts it every day, and is off again" {
    SYSTEMD=$BATS_TEST_TMPDIR UNITS=$BATS_TEST_TMPDIR/units CRON=$BATS_TEST_TMPDIR/cron
    mkdir "$UNITS" "$CRON"
    stub systemctl </dev/null
    run strict schedule_set 02:30
    [[ $status -eq 0 && $output == *'every day at 02:30'*mini-backup.timer* ]]
    command="bash -c 'flock --timeout 3600 $ROOT/lock true; exec bash $ROOT/current/scripts/backup.sh'"
    grep -qxF "ExecStart=/usr/bin/env $command" "$UNITS/mini-backup.service"
    grep -qxF 'OnCalendar=*-*-* 02:30:00' "$UNITS/mini-backup.timer"
    [ "$(schedule_time)" = 02:30 ]
    strict schedule_set off
    [ -z "$(ls "$UNITS")$(schedule_time)" ]
    [ "$(cat "$BATS_TEST_TMPDIR/calls")" = "$(printf 'systemctl %s\n' daemon-reload 'enable mini-backup.timer' 'restart mini-backup.timer' \
        'stop mini-backup.timer' 'disable mini-backup.timer' daemon-reload)" ]
    strict schedule_off # once more
}

@test "without systemd it is cron's, where that runs" {
    SYSTEMD=$BATS_TEST_TMPDIR/absent UNITS=$BATS_TEST_TMPDIR/units CRON=$BATS_TEST_TMPDIR/cron
    mkdir "$CRON"
    cron_runs() { false; }
    run strict schedule_set 08:05
    [[ $status -eq 6 && $output == *'Neither systemd nor cron runs here'* && -z $(ls "$CRON") ]]
    cron_runs() { true; }
    strict schedule_set 08:05
    command="bash -c 'flock --timeout 3600 $ROOT/lock true; exec bash $ROOT/current/scripts/backup.sh'"
    [ "$(cat "$CRON/mini-backup")" = "5 8 * * * root $command >/dev/null 2>&1" ]
    [ "$(schedule_time)" = 08:05 ]
    strict schedule_set off
    [ -z "$(ls "$CRON")" ]
}

@test "status warns where the last good backup is old or was never made" {
    UNITS=$BATS_TEST_TMPDIR CRON=$BATS_TEST_TMPDIR
    run strict status_backup_text
    [[ $output == 'warning: Last good backup: never'*'No backup is made by itself'* ]]
    [ "$(status_backup_json)" = ',"backup":{"last":"","age_seconds":null,"stale":true,"schedule":""}' ]
    made 20260105-020000
    run strict status_backup_text
    [[ $output == 'Last good backup: 0 minutes ago (20260105-020000)'* ]]
    sed -i "s/^created.*/created	$(date -u -d '-75 hours' +%FT%TZ)/" "$ROOT/backups/20260105-020000/manifest.tsv"
    sed -i '$d' "$ROOT/backups/20260105-020000/manifest.tsv"
    printf 'sealed\t%s\n' "$(sha256sum <"$ROOT/backups/20260105-020000/manifest.tsv" | cut -c 1-64)" >>"$ROOT/backups/20260105-020000/manifest.tsv"
    run strict status_backup_text
    [[ $output == 'warning: Last good backup: 3 days ago (20260105-020000)'* ]]
    made 20260107-020000
    truncate -s 0 "$ROOT/backups/20260107-020000/data.tar.gz"
    [[ $(status_backup_json) == *'"last":"20260105-020000","age_seconds":270'*'"stale":true'* ]]
}

@test "what must not be overlooked is red on a terminal, and plain elsewhere" {
    [ "$(alarm status_no_backup 2>&1)" = "$(warn status_no_backup 2>&1)" ]
    type script >/dev/null || skip "no script(1)"
    shown=$(script -qec "bash -c 'source $LIB/say.sh; use_language en; alarm status_no_backup'" /dev/null)
    [[ $shown == $'\e[31m'*never*$'\e[0m'* ]]
}
