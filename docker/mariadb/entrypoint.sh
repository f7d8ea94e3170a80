#!/bin/bash
# Runs mariadbd on /var/lib/mysql as user mysql (999:999), with the arguments of the container's command.
# An empty folder is initialised first, by a temporary server that listens on no network. The file .initialising
# stands in the folder from before the first byte until the last one is on disk: found at a start, it means that
# the container was killed in between, nobody was ever served from that folder, and it is made anew.
set -Eeuo pipefail

readonly DATA=/var/lib/mysql
readonly MARK="${DATA}/.initialising"
readonly TEMPORARY_SOCKET=/run/mysqld/initialising.sock
readonly WAIT_SECONDS=120

log() {
    printf 'mariadb entrypoint: %s\n' "$*" >&2
}

refuse() {
    log "refused: $*"
    exit 1
}

# The value of MARIADB_$1, else of MYSQL_$1.
setting() {
    local mariadb="MARIADB_$1" mysql="MYSQL_$1"
    printf '%s' "${!mariadb:-${!mysql-}}"
}

# A text as SQL string and a name as SQL identifier, whatever is in it.
sql_text() {
    local text=${1//\\/\\\\}
    printf "'%s'" "${text//\'/\'\'}"
}

sql_name() {
    printf '%s' "\`${1//\`/\`\`}\`"
}

check_settings() {
    [[ -n $(setting ROOT_PASSWORD) ]] ||
        refuse "an empty data folder needs MYSQL_ROOT_PASSWORD (or MARIADB_ROOT_PASSWORD)"
    [[ $(setting USER) != root ]] ||
        refuse "MYSQL_USER=root: root is made anyway, with MYSQL_ROOT_PASSWORD"
    [[ -z $(setting USER) || -n $(setting PASSWORD) ]] ||
        refuse "MYSQL_USER needs MYSQL_PASSWORD"
}

# What the fresh server lacks, as SQL.
first_statements() {
    local password database user host
    password=$(sql_text "$(setting ROOT_PASSWORD)")
    database=$(setting DATABASE)
    user=$(setting USER)
    echo "DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');"
    echo "DELETE FROM mysql.proxies_priv WHERE Host <> 'localhost';"
    echo "FLUSH PRIVILEGES;"
    for host in localhost %; do
        echo "CREATE OR REPLACE USER 'root'@'${host}' IDENTIFIED BY ${password};"
        echo "GRANT ALL ON *.* TO 'root'@'${host}' WITH GRANT OPTION;"
    done
    if [[ -n ${database} ]]; then
        echo "CREATE DATABASE IF NOT EXISTS $(sql_name "${database}");"
    fi
    if [[ -n ${user} ]]; then
        echo "CREATE USER $(sql_text "${user}")@'%' IDENTIFIED BY $(sql_text "$(setting PASSWORD)");"
    fi
    if [[ -n ${user} && -n ${database} ]]; then
        # in GRANT, and only there, _ and % of a database name are wildcards
        database=${database//_/\\_}
        echo "GRANT ALL ON $(sql_name "${database//%/\\%}").* TO $(sql_text "${user}")@'%';"
    fi
}

ask_temporary_server() {
    "$1" --no-defaults --user=root --socket="${TEMPORARY_SOCKET}" "${@:2}"
}

wait_for_temporary_server() {
    local pid=$1 end=$((SECONDS + WAIT_SECONDS))
    until ask_temporary_server mariadb-admin ping >/dev/null 2>&1; do
        kill -0 "${pid}" 2>/dev/null || refuse "the temporary server ended; its messages are above"
        ((SECONDS < end)) || refuse "the temporary server did not answer within ${WAIT_SECONDS} s"
        sleep 0.2
    done
}

initialise() {
    local pid
    mariadb-install-db --user=mysql --skip-test-db --auth-root-authentication-method=normal >/dev/null
    mariadbd --skip-networking --socket="${TEMPORARY_SOCKET}" --pid-file=/run/mysqld/initialising.pid &
    pid=$!
    wait_for_temporary_server "${pid}"
    mariadb-tzinfo-to-sql --skip-write-binlog /usr/share/zoneinfo 2>/dev/null |
        ask_temporary_server mariadb mysql
    first_statements | ask_temporary_server mariadb --default-character-set=utf8mb4
    kill "${pid}"
    wait "${pid}"
}

# Sets STATE to what the data folder is: served (has data), empty or interrupted. Changes nothing; refuses a folder
# that another product wrote: MariaDB would take some of MySQL's files for its own.
examine() {
    STATE=served
    if [[ -e ${MARK} ]]; then
        STATE=interrupted
    elif [[ -z $(find "${DATA}" -mindepth 1 -print -quit) ]]; then
        STATE=empty
    elif [[ -e ${DATA}/mysql.ibd || -e ${DATA}/auto.cnf ]]; then
        refuse "the data folder was written by MySQL; this is MariaDB. Use the mysql image, or move by a dump"
    elif [[ ! -d ${DATA}/mysql || ! -e ${DATA}/ibdata1 ]]; then
        refuse "the data folder is not empty and not MariaDB's; is the right folder mounted?"
    fi
    if [[ ${STATE} != served ]]; then
        check_settings
    fi
}

prepare() {
    if [[ ${STATE} == interrupted ]]; then
        log "an earlier first start was interrupted; its half of a data folder is made anew"
        find "${DATA}" -mindepth 1 ! -path "${MARK}" -delete
    fi
    : >"${MARK}"
    sync "${MARK}" "${DATA}"
    initialise
    sync --file-system "${DATA}"
    rm "${MARK}"
    sync "${DATA}"
    log "data folder initialised"
}

serve() {
    trap 'exit 143' TERM INT # as pid 1, bash would ignore them while it initialises
    examine
    if [[ $(id -u) == 0 ]]; then
        find "${DATA}" /run/mysqld ! -user mysql -exec chown mysql:mysql {} +
        exec setpriv --reuid=mysql --regid=mysql --init-groups "${BASH_SOURCE[0]}" mariadbd "$@"
    fi
    if [[ ${STATE} != served ]]; then
        prepare
    fi
    exec mariadbd "$@"
}

# --version and --help need no data folder, so they must not make one.
only_asks() {
    [[ " $* " == *" --version "* || " $* " == *" --help "* ]]
}

main() {
    if only_asks "$@"; then
        exec "$@"
    fi
    case ${1:--} in
        -*) serve "$@" ;;
        mariadbd | mysqld) serve "${@:2}" ;;
        *) exec "$@" ;;
    esac
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
