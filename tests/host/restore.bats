# What a restore decides and renames, without an engine: which parts, whether they may, the exchange and its way back at
# every point, what was written since, the record of a drill.

setup() {
    source "$BATS_TEST_DIRNAME/deploy_library.bash"
    load_library
    ID=20260102-030405
    BACKUP=$ROOT/backups/$ID
    mkdir -p "$BACKUP" "$ROOT/releases/20260101-000000/scripts"
    printf '%s\n' "id	20260101-000000" 'stack	mini' 'mode	all	db,web' 'mode	web	web' \
        'service	db	db	all	60' 'service	web	web	all	10' "image	db	mini/db:1	-	a	b" \
        "mount	db	host	mysql/data	shared/mysql/data	/var/lib/mysql	$ME	0700	-" \
        "mount	web	host	uploads	shared/uploads	/uploads	$ME	0755	-" \
        'data	database	db	mariadb	10.11	mysql/data' >"$FACTS"
    cp "$FACTS" "$ROOT/releases/20260101-000000/scripts/facts.tsv"
    printf 'current=20260101-000000\nmode=all\n' >"$ROOT/state"
    manifest mini 20260101-000000 mariadb 10.11
}

# manifest STACK RELEASE FAMILY SERIES: of the backup, sealed.
manifest() {
    printf '%s\n' 'format	1' "id	$ID" "stack	$1" "release	$2" 'created	2026-01-02T03:04:05Z' \
        "family	database	db	$3	$4	$4.1" 'table	database	shop	users	3' 'table	database	shop	orders	10' \
        "member	database	dump	database.sql.gz	10	x	1000	shared/mysql/data" \
        "member	uploads	files	uploads.tar.gz	10	x	2000	shared/uploads" \
        "file	uploads	a.txt	2	$(printf 'a\n' | sha256sum | cut -c 1-64)" >"$BACKUP/manifest.tsv"
    printf 'sealed\t%s\n' "$(sha256sum <"$BACKUP/manifest.tsv" | cut -c 1-64)" >>"$BACKUP/manifest.tsv"
    choose_parts
}

# judged: the reasons, without colours of language.
judged() {
    FINDINGS=$BATS_TEST_TMPDIR/findings
    : >"$FINDINGS"
    judge_origin
    judge_parts
    judge_room
    cut -f 2 "$FINDINGS"
}

@test "the parts are the backup's, or those that are named; a name that it does not have is used wrongly" {
    [ "$(part_names)" = $'database\nuploads' ]
    [ "$(part_field database service) $(part_field database family) $(part_field uploads place)" = 'db mariadb shared/uploads' ]
    choose_parts uploads
    [ "$(part_names)" = uploads ]
    USAGE=restore_usage
    run choose_parts redis
    [ "$status" -eq 2 ]
    [[ $output == *'redis: the backup has no such part. It has: database uploads'* ]]
}

@test "what fits is not refused" {
    [ -z "$(judged)" ]
    manifest mini 20250101-000000 mariadb 10.6
    [ -z "$(judged)" ]
}

@test "every reason is told at once: another stack, a newer release, another family" {
    manifest other 20260102-000000 mysql 8.0
    [ "$(judged)" = $'stack\nrelease\ndatabase' ]
    run judge_backup
    [ "$status" -eq 5 ]
    [[ $output == *'release 20260102-000000, which is newer'*'of mysql 8.0'* ]]
}

@test "an older server cannot read a newer one's backup, and a service that does not run gets none" {
    manifest mini 20260101-000000 mariadb 11.4
    [ "$(judged)" = database ]
    manifest mini 20260101-000000 mariadb 10.11
    MODE=web
    [ "$(judged)" = database ]
    choose_parts uploads
    [ -z "$(judged)" ]
}

@test "a folder that this release does not have is refused" {
    sed -i 's|shared/uploads|shared/elsewhere|' "$BACKUP/manifest.tsv"
    choose_parts
    [ "$(judged)" = uploads ]
}

@test "room is looked at where the data goes, and what is missing is said" {
    stub df <<'END'
echo header
echo 'disk 10 10 1 1% /'
END
    [ "$(judged)" = room ]
    run judge_backup
    [[ $status -eq 5 && $output == *'Too little room in /: 1.0 kB free, 300.0 MB needed'* ]]
}

@test "a plain rollback refuses data of another family or series, and names the way back with data" {
    mkdir -p "$ROOT/shared/mysql/data"
    : >"$ROOT/shared/mysql/data/aria_log_control"
    printf '10.11.4-MariaDB' >"$ROOT/shared/mysql/data/mysql_upgrade_info"
    judge_data
    printf '11.4.2-MariaDB' >"$ROOT/shared/mysql/data/mysql_upgrade_info"
    run judge_data
    [[ $status -eq 5 && $output == *'mariadb 11.4'*'--with-data'* ]]
    sed -i 's/mariadb	10.11/mysql	8.0/' "$FACTS"
    run judge_data
    [[ $status -eq 5 && $output == *'mysql 8.0'* ]]
}

@test "the backup of a release is the newest that was made while it was in service" {
    [ "$(backup_of_release 20260101-000000)" = "$ID" ]
    mkdir "$ROOT/backups/20260103-000000"
    sed 's/^release.*/release	20260102-000000/' "$BACKUP/manifest.tsv" >"$ROOT/backups/20260103-000000/manifest.tsv"
    [ "$(backup_of_release 20260101-000000)" = "$ID" ]
    [ "$(backup_of_release 20260102-000000)" = 20260103-000000 ]
    [ -z "$(backup_of_release 20250101-000000)" ]
}

@test "a damaged backup of a release gives way to an older one that is whole; alone it is named" {
    local name
    printf '0123456789' | tee "$BACKUP/database.sql.gz" >"$BACKUP/uploads.tar.gz"
    for name in 20260103-000000 20260104-000000; do
        cp -R "$BACKUP" "$ROOT/backups/$name"
    done
    [ "$(backup_of_release 20260101-000000)" = 20260104-000000 ]
    echo more >>"$ROOT/backups/20260104-000000/manifest.tsv"
    [ "$(backup_of_release 20260101-000000)" = 20260103-000000 ]
    echo more | tee -a "$ROOT/backups/20260103-000000/manifest.tsv" >>"$BACKUP/manifest.tsv"
    [ "$(backup_of_release 20260101-000000)" = 20260104-000000 ]
}

@test "after the way back to an older release, its newest own backup is the one that is drilled" {
    cp -R "$BACKUP" "$ROOT/backups/20260103-000000"
    [ "$(backup_to_drill)" = 20260103-000000 ]
    sed -i 's/^release.*/release	29990102-000000/' "$ROOT/backups/20260103-000000/manifest.tsv"
    [ "$(backup_to_drill)" = "$ID" ]
    sed -i 's/^release.*/release	29990102-000000/' "$BACKUP/manifest.tsv"
    [ "$(backup_to_drill)" = 20260103-000000 ]
}

@test "a service beside the stack has its image, settings and limits, and no name, port, network or folder of the stack's" {
    cat >"$BUNDLE/docker-compose-offline.yml" <<'END'
# made
services:

  db:
    image: "mini/db:1"
    container_name: db
    restart: always
    stop_grace_period: 60s
    command: ["server", "--flag"]
    depends_on: ["other"]
    ports: ["1:1"]
    environment:
      PASSWORD: "${PASSWORD:?}"
    mem_limit: 512m
    volumes:
      - type: bind
        source: "${STACK_ROOT:?}/shared/mysql/data"
        target: "/var/lib/mysql"
      - type: bind
        source: "${STACK_ROOT:?}/payload/db-1/conf"
        target: "/conf"

  web:
    image: "mini/web:1"
    container_name: web
networks:
  default:
    driver: bridge
END
    BESIDE_COMMAND='' run beside_file database db shared/mysql/data /new
    [ "$output" = 'services:
  db:
    image: "mini/db:1"
    stop_grace_period: 60s
    command: ["server", "--flag"]
    environment:
      PASSWORD: "${PASSWORD:?}"
    mem_limit: 512m
    volumes:
      - type: bind
        source: "/new"
        target: "/var/lib/mysql"
      - type: bind
        source: "${STACK_ROOT:?}/payload/db-1/conf"
        target: "/conf"
    container_name: mini-beside-database
    network_mode: none' ]
    [ "$(beside_command db --appendonly no)" = '["server", "--flag", "--appendonly", "no"]' ]
}

# exchanging N: the folders as a run that was killed after N renames leaves them, of two places; then taken back.
exchanging() {
    local when=20260104-000000 place
    printf 'mark\t%s@%s\nplace\tshared/mysql/data\nplace\tshared/uploads\n' "$ID" "$when" >"$ROOT/exchange"
    for place in mysql/data uploads; do
        rm -rf "$ROOT/shared/$place"*
        mkdir -p "$ROOT/shared/$place" "$ROOT/shared/$place.restoring-$ID"
        echo old >"$ROOT/shared/$place/which"
        echo new >"$ROOT/shared/$place.restoring-$ID/which"
    done
    for place in mysql/data uploads; do
        if (($1 > 0)); then mv "$ROOT/shared/$place" "$ROOT/shared/$place.before-restore-$when"; fi
        if (($1 > 1)); then mv "$ROOT/shared/$place.restoring-$ID" "$ROOT/shared/$place"; fi
        set -- $(($1 - 2))
    done
}

@test "wherever the renames were cut off, the old data comes back, and again, and what served meanwhile is kept" {
    stub docker </dev/null
    for renames in 0 1 2 3 4; do
        exchanging "$renames"
        strict undo_exchange
        strict undo_exchange
        [ "$(cat "$ROOT/shared/mysql/data/which" "$ROOT/shared/uploads/which")" = $'old\nold' ]
        [ "$(set_aside | wc -l)" -eq $((renames / 2)) ]
        strict end_exchange
        [ ! -e "$ROOT/exchange" ]
    done
    [ "$(cat "$ROOT/shared/uploads.after-restore-20260104-000000/which")" = new ]
}

@test "an exchange that is done is not taken back by the next command" {
    stub docker </dev/null
    exchanging 4
    state_set "restored=$ID@20260104-000000"
    strict settle_exchange
    [ "$(cat "$ROOT/shared/mysql/data/which")" = new ]
    [ "$(cat "$ROOT/shared/mysql/data.before-restore-20260104-000000/which")" = old ]
    [ ! -e "$ROOT/exchange" ]
}

@test "what a killed restore had not put into service yet is removed, and nothing else" {
    stub docker </dev/null
    exchanging 0
    rm "$ROOT/exchange"
    mkdir "$ROOT/.beside" "$ROOT/shared/mysql/data.before-restore-20260104-000000" "$ROOT/shared/mine.restoring-$ID"
    strict settle_exchange
    [ "$(cd "$ROOT/shared" && find . -mindepth 1 -type d | sort | tr '\n' ' ')" = \
        "./mine.restoring-$ID ./mysql ./mysql/data ./mysql/data.before-restore-20260104-000000 ./uploads " ]
    [ ! -e "$ROOT/.beside" ]
}

@test "while no engine answers nothing is swept, so that a later run still finds its container" {
    mkdir -p "$ROOT/.beside" "$ROOT/shared/mine.restoring-$ID"
    stub docker <<<'exit 1'
    strict settle_exchange
    [ -d "$ROOT/.beside" ]
    stub docker <<<'[ "$1" = ps ] && echo 0123 || echo "$*" >>"$BATS_TEST_TMPDIR/asked"'
    strict settle_exchange
    [ ! -e "$ROOT/.beside" ]
    [ "$(cat "$BATS_TEST_TMPDIR/asked")" = 'rm --force --volumes 0123' ]
}

@test "while no engine answers nothing counts as stopped: no data moves, and no stack is out of service" {
    exchanging 4
    printf 'service\tdb\talways\n' >>"$ROOT/exchange"
    stub docker <<<'exit 1'
    run strict undo_exchange
    [ "$status" -ne 0 ]
    [ "$(cat "$ROOT/shared/mysql/data/which" "$ROOT/shared/uploads/which")" = $'new\nnew' ]
    run strict let_services_start
    [ "$status" -ne 0 ]
    run strict remove_stack
    [ "$status" -ne 0 ]
    run strict remove_containers
    [ "$status" -ne 0 ]
    run strict stop_others
    [ "$status" -ne 0 ]
    run strict repair_names
    [ "$status" -ne 0 ]
}

@test "services that use the data stop, and all that start after them" {
    [ "$(services_to_hold)" = $'db\nweb' ]
    choose_parts uploads
    [ "$(services_to_hold)" = web ]
}

# pack_uploads: uploads.tar.gz of what is in $BATS_TEST_TMPDIR/files.
pack_uploads() {
    tar -C "$BATS_TEST_TMPDIR/files" -czf "$BACKUP/uploads.tar.gz" .
    mkdir -p "$ROOT/.beside" "$ROOT/shared"
}

@test "files come back with their modes and times, and are compared byte for byte" {
    mkdir "$BATS_TEST_TMPDIR/files"
    printf 'a\n' >"$BATS_TEST_TMPDIR/files/a.txt"
    chmod 0640 "$BATS_TEST_TMPDIR/files/a.txt"
    touch -d '2020-02-02 UTC' "$BATS_TEST_TMPDIR/files/a.txt"
    pack_uploads
    strict beside_files uploads "$BACKUP" "$ROOT/shared/uploads.new"
    [ "$(stat -c '%a %Y' "$ROOT/shared/uploads.new/a.txt")" = '640 1580601600' ]
    echo x >"$BATS_TEST_TMPDIR/files/a.txt"
    echo y >"$BATS_TEST_TMPDIR/files/more"
    pack_uploads
    run strict beside_files uploads "$BACKUP" "$ROOT/shared/uploads.bad"
    [[ $status -eq 1 && $output == *'+ '*'a.txt'*'does not have the files of the backup'* ]]
}

@test "an archive with a device or a name that leads out of it is not unpacked" {
    mkdir -p "$BATS_TEST_TMPDIR/files"
    mkfifo "$BATS_TEST_TMPDIR/files/pipe"
    pack_uploads
    run strict beside_files uploads "$BACKUP" "$ROOT/shared/uploads.new"
    [[ $status -eq 1 && $output == *'what no backup has'* ]]
    rm "$BATS_TEST_TMPDIR/files/pipe"
    echo evil >"$BATS_TEST_TMPDIR/evil"
    tar -C "$BATS_TEST_TMPDIR/files" -P -czf "$BACKUP/uploads.tar.gz" ../evil
    run strict beside_files uploads "$BACKUP" "$ROOT/shared/uploads.new"
    [[ $status -eq 1 && $output == *'what no backup has'* ]]
    [ ! -e "$ROOT/shared/uploads.new" ]
}

@test "what was written since is counted table by table, also in tables that the backup does not know" {
    [ "$(rows_compared $'shop\tusers\t3\nshop\torders\t10' $'shop\torders\t10\nshop\tusers\t5\nshop\tnew\t7')" = $'shop.new\t7\t0\nshop.users\t5\t3' ]
    [ -z "$(rows_compared $'shop\tusers\t3' $'shop\tusers\t3')" ]
    [ "$(rows_compared $'shop\tusers\t3' '')" = $'shop.users\t0\t3' ]
}

@test "a drill is written into the manifest, the last one only, and the seal is right again" {
    local file=$BACKUP/manifest.tsv
    before=$(sed '$d' "$file")
    record_drill "$BACKUP" failed 7
    [ -z "$(last_drill)" ]
    record_drill "$BACKUP" ok 9
    [ "$(sed '$d' "$file" | sed '$d')" = "$before" ]
    [[ $(tail -n 2 "$file" | head -n 1) == 'drill	20'*'	ok	9	database uploads' ]]
    [ "$(tail -n 1 "$file")" = "sealed	$(sed '$d' "$file" | sha256sum | cut -c 1-64)" ]
    [[ $(last_drill) == 20*"	$ID" ]]
}

# sealed: makes both members, and the manifest that fits them.
sealed() {
    printf 'x\n-- Dump completed on 2026-01-02\n' | gzip >"$BACKUP/database.sql.gz"
    printf 'y\n' | gzip >"$BACKUP/uploads.tar.gz"
    local file
    for file in database.sql.gz uploads.tar.gz; do
        sed -i "s/	$file	.*	\(shared.*\)/	$file	$(stat -c %s "$BACKUP/$file")	$(sha256sum <"$BACKUP/$file" | cut -c 1-64)	9	\1/" "$BACKUP/manifest.tsv"
    done
    reseal
}

reseal() {
    sed -i '$d' "$BACKUP/manifest.tsv"
    printf 'sealed\t%s\n' "$(sha256sum <"$BACKUP/manifest.tsv" | cut -c 1-64)" >>"$BACKUP/manifest.tsv"
}

@test "a whole backup has no flaw; each bad file is named with its reason" {
    sealed
    [ -z "$(backup_flaws "$BACKUP")" ]
    printf 'x' >>"$BACKUP/database.sql.gz"
    touch "$BACKUP/more"
    rm "$BACKUP/uploads.tar.gz"
    [ "$(backup_flaws "$BACKUP")" = $'bad\tchanged\tdatabase.sql.gz\nbad\tmissing\tuploads.tar.gz\nbad\textra\tmore' ]
}

@test "a manifest that was changed, cut off or is of a newer format is not read on" {
    sealed
    sed -i 's/^table.*users.*/table	database	shop	users	4/' "$BACKUP/manifest.tsv"
    [ "$(backup_flaws "$BACKUP")" = $'bad\tmalformed\tmanifest.tsv' ]
    reseal
    [ -z "$(backup_flaws "$BACKUP")" ]
    sed -i '$d' "$BACKUP/manifest.tsv"
    [ "$(backup_flaws "$BACKUP")" = $'bad\tmalformed\tmanifest.tsv' ]
    sed -i 's/^format.*/format	2/' "$BACKUP/manifest.tsv"
    echo sealed >>"$BACKUP/manifest.tsv"
    reseal
    [ "$(backup_flaws "$BACKUP")" = $'bad\tnewer\tmanifest.tsv' ]
}

@test "a dump without its last line is unfinished, however well its sum fits" {
    printf 'x\n' | gzip >"$BACKUP/database.sql.gz"
    sealed
    printf 'x\n' | gzip >"$BACKUP/database.sql.gz"
    sed -i "s/	database.sql.gz	.*	\(shared.*\)/	database.sql.gz	$(stat -c %s "$BACKUP/database.sql.gz")	$(sha256sum <"$BACKUP/database.sql.gz" | cut -c 1-64)	9	\1/" "$BACKUP/manifest.tsv"
    reseal
    [ "$(backup_flaws "$BACKUP")" = $'bad\tunfinished\tdatabase.sql.gz' ]
}

@test "no two files of the library give one name to two functions" {
    [ -z "$(grep -hoE '^[a-z_0-9]+\(\)' "$LIB"/*.sh | sort | uniq -d)" ]
}
