#!/bin/bash
# Healthy is: root gets an answer to a query over TCP. The socket would not do, the first start's
# temporary server has one too. The password travels in the environment, never on a command line.
set -Eeuo pipefail

main() {
    MYSQL_PWD=${MARIADB_ROOT_PASSWORD:-${MYSQL_ROOT_PASSWORD-}} \
        mariadb --no-defaults --protocol=tcp --host=127.0.0.1 --user=root --batch --execute='SELECT 1' >/dev/null
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
