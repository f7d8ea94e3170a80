# Which product wrote a data folder, told by its files.

bats_require_minimum_version 1.5.0

setup() {
    # shellcheck source=scripts/host/lib/datafiles.sh
    source "$BATS_TEST_DIRNAME/../../scripts/host/lib/datafiles.sh"
    DATA=$BATS_TEST_TMPDIR/data
    mkdir "$DATA"
}

@test "nothing where there is no folder or nothing in it" {
    [ -z "$(data_of "$DATA")" ]
    [ -z "$(data_of "$DATA/absent")" ]
}

@test "MariaDB by its Aria log; the series by the newer or the older name of its file" {
    : >"$DATA/aria_log_control"
    [ "$(data_of "$DATA")" = "mariadb -" ]
    printf '10.11.19-MariaDB' >"$DATA/mysql_upgrade_info"
    [ "$(data_of "$DATA")" = "mariadb 10.11" ]
    printf '11.4.2-MariaDB' >"$DATA/mariadb_upgrade_info"
    [ "$(data_of "$DATA")" = "mariadb 11.4" ]
}

@test "MySQL from 8.0 on by the version in its dictionary" {
    printf 'abcdefgh\x00\x01\x38\xa4' >"$DATA/mysql.ibd" # 80036
    [ "$(data_of "$DATA")" = "mysql 8.0" ]
    printf 'abcdefgh\x00\x01\x3a\x13' >"$DATA/mysql.ibd" # 80403
    [ "$(data_of "$DATA")" = "mysql 8.4" ]
    printf 'abcdefgh\xff\xff\xff\xff' >"$DATA/mysql.ibd"
    [ "$(data_of "$DATA")" = "mysql -" ]
    printf 'abc' >"$DATA/mysql.ibd"
    [ "$(data_of "$DATA")" = "mysql -" ]
}

@test "MySQL before 8.0" {
    mkdir "$DATA/mysql"
    : >"$DATA/ibdata1"
    [ "$(data_of "$DATA")" = "mysql -" ]
    printf '5.7.44\n' >"$DATA/mysql_upgrade_info"
    [ "$(data_of "$DATA")" = "mysql 5.7" ]
}

@test "Redis by the head of its snapshot or of its append-only file's base" {
    printf 'REDIS0010\xfa\x09redis-ver\x067.0.15\xfa\x0aredis-bits\xc0' >"$DATA/dump.rdb"
    [ "$(data_of "$DATA")" = "redis 7.0" ]
    mkdir "$DATA/appendonlydir"
    printf 'REDIS0012\xfa\x09redis-ver\x058.0.1\xfa' >"$DATA/appendonlydir/appendonly.aof.1.base.rdb"
    [ "$(data_of "$DATA")" = "redis 8.0" ]
}

@test "Redis that does not say its version, and its cousin" {
    printf '*2\r\n' >"$DATA/appendonly.aof"
    [ "$(data_of "$DATA")" = "redis -" ]
    printf 'VALKEY080\xfa\x0avalkey-ver\x059.0.0\xfa' >"$DATA/dump.rdb"
    [ "$(data_of "$DATA")" = "valkey 9.0" ]
}

@test "anything else is unknown" {
    : >"$DATA/base.dat"
    [ "$(data_of "$DATA")" = "unknown -" ]
}
