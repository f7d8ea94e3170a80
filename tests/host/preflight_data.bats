# What the preflight finds of data that is there already.

bats_require_minimum_version 1.5.0

setup() {
    # shellcheck source=tests/host/preflight_machine.bash
    source "$BATS_TEST_DIRNAME/preflight_machine.bash"
    good_machine
}

mariadb_at() {
    mkdir -p "$1"
    : >"$1/aria_log_control"
    printf '%s-MariaDB' "$2" >"$1/mysql_upgrade_info"
}

@test "data of the same family and series" {
    mariadb_at "$ROOT/shared/mysql/data" 10.11.6
    [ -z "$(findings)" ]
}

@test "data of another family" {
    mkdir -p "$ROOT/shared/mysql/data"
    printf '\0\0\0\0\0\0\0\0\0\x01\x38\xa4' >"$ROOT/shared/mysql/data/mysql.ibd" # 80036
    [ "$(findings)" = "refuse data-database," ]
    [[ $(says data-database) == *"holds data of mysql, and this release runs mariadb"* ]]
}

@test "data of an older series would be converted; data of a newer one cannot be read" {
    mariadb_at "$ROOT/shared/mysql/data" 10.6.1
    [ "$(findings)" = "refuse data-database," ]
    [[ $(says data-database) == *"mariadb 10.6, and this release runs 10.11: it would convert"* ]]
    mariadb_at "$ROOT/shared/mysql/data" 11.4.2
    preflight
    [[ $(says data-database) == *"older and cannot read"* ]]
}

@test "where the files do not tell the series, the release in service does" {
    mkdir -p "$ROOT/shared/mysql/data" "$ROOT/current/scripts"
    : >"$ROOT/shared/mysql/data/aria_log_control"
    [ -z "$(findings)" ]
    printf 'data\tdatabase\tmini-db\tmariadb\t10.5\tmysql/data\n' >"$ROOT/current/scripts/facts.tsv"
    [ "$(findings)" = "refuse data-database," ]
}

@test "files of nobody known are not taken for the stack's" {
    mkdir -p "$ROOT/shared/mysql/data"
    : >"$ROOT/shared/mysql/data/notes.txt"
    [ "$(findings)" = "refuse data-database," ]
}

@test "an empty folder, a mount point and an interrupted first start hold no data" {
    mkdir -p "$ROOT/shared/mysql/data/lost+found"
    [ -z "$(findings)" ]
    : >"$ROOT/shared/mysql/data/.initialising"
    : >"$ROOT/shared/mysql/data/ibdata1"
    [ -z "$(findings)" ]
}

@test "no new empty folder where a container of that name has data elsewhere: --adopt, or the other root" {
    f=$'\x1f' old=$BATS_TEST_TMPDIR/old
    mariadb_at "$old/mysql/data" 10.11.6
    answer containers "/mini-db${f}mini${f}$old${f}${f}$old/mysql/data:/var/lib/mysql "
    [ "$(findings)" = "refuse data-database," ]
    [[ $(says data-database) == *"--adopt $old;"* ]]
    mariadb_at "$old/shared/mysql/data" 10.11.6
    answer containers "/mini-db${f}mini${f}$old${f}${f}$old/shared/mysql/data:/var/lib/mysql "
    preflight
    [[ $(says data-database) == *"--root $old;"* ]]
}

@test "no new empty folder beside data that lies in the root by hand" {
    mariadb_at "$ROOT/mysql/data" 10.11.6
    [ "$(findings)" = "refuse data-database," ]
    [[ $(says data-database) == *"--adopt $ROOT;"* ]]
}

@test "data in a usual place is worth a word" {
    mariadb_at "$BATS_TEST_TMPDIR/opt/xiaozhi-old/mysql/data" 10.11.6
    USUAL_PLACES=("$BATS_TEST_TMPDIR"/opt/*)
    [ "$(findings)" = "warn data-database," ]
    [[ $(says data-database) == *"--adopt $BATS_TEST_TMPDIR/opt/xiaozhi-old;"* ]]
}

@test "what is adopted must fit too" {
    ADOPT=$BATS_TEST_TMPDIR/old
    mariadb_at "$ADOPT/mysql/data" 10.11.6
    [ -z "$(findings)" ]
    mariadb_at "$ADOPT/mysql/data" 11.4.2
    [ "$(findings)" = "refuse data-database," ]
}

@test "data of services outside the mode does not count" {
    mkdir -p "$ROOT/shared/mysql/data"
    : >"$ROOT/shared/mysql/data/notes.txt"
    MODE=single
    [ -z "$(findings)" ]
}
