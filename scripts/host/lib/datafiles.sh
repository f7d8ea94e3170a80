# shellcheck shell=bash
# Which product wrote the files of a data folder, and in which series of its versions. Reads only.

# data_of FOLDER: `family series` of what is there; nothing for a folder that is absent or holds no data; `unknown -`
# for files of nobody known here. The series is `-` where the files do not tell.
data_of() {
    local folder=$1
    if ! holds_data "$folder"; then
        return 0
    elif [[ -e $folder/aria_log_control ]]; then
        printf 'mariadb %s' "$(series_in "$folder/mariadb_upgrade_info" "$folder/mysql_upgrade_info")"
    elif [[ -e $folder/mysql.ibd ]]; then
        printf 'mysql %s' "$(series_of_mysql "$folder/mysql.ibd")"
    elif [[ -e $folder/ibdata1 && -d $folder/mysql ]]; then
        printf 'mysql %s' "$(series_in "$folder/mysql_upgrade_info")"
    else
        data_of_redis "$folder"
    fi
}

# holds_data FOLDER: something beside what a mount point or an interrupted first start leaves.
holds_data() {
    [[ -d $1 && ! -e $1/.initialising && -n $(find "$1" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit) ]]
}

# series_in FILE...: the first two numbers of the version in the first of these files that is there.
series_in() {
    local file
    for file in "$@"; do
        if [[ -f $file && $(head -c 40 -- "$file") =~ ^([0-9]+\.[0-9]+) ]]; then
            printf '%s' "${BASH_REMATCH[1]}"
            return
        fi
    done
    printf -- '-'
}

# series_of_mysql FILE: from 8.0 on, bytes 8 to 11 of a tablespace hold the server's version as a number (80036), which
# an upgrade renews (InnoDB, FIL_PAGE_SRV_VERSION).
series_of_mysql() {
    local number
    number=$(head -c 12 -- "$1" | tail -c +9 | od -An -tu1 |
        awk '{ number = (($1 * 256 + $2) * 256 + $3) * 256 + $4 } END { printf "%.0f", number }')
    if ((number >= 80000 && number < 1000000)); then
        printf '%d.%d' $((number / 10000)) $((number / 100 % 100))
    else
        printf -- '-'
    fi
}

# data_of_redis FOLDER: a snapshot begins with its format and names the server that wrote it.
data_of_redis() {
    local file text
    for file in "$1"/appendonlydir/*.base.rdb "$1/dump.rdb" "$1/appendonly.aof"; do
        if [[ -f $file ]]; then
            text=$(head -c 64 -- "$file" | tr -c '[:alnum:].-' ' ')
            if [[ $text =~ (redis|valkey)-ver\ +([0-9]+\.[0-9]+) ]]; then
                printf '%s %s' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
            elif [[ $text == REDIS* || $file == *.aof ]]; then
                printf 'redis -'
            else
                continue
            fi
            return
        fi
    done
    printf 'unknown -'
}
