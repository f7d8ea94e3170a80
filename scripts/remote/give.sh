#!/usr/bin/env bash
# Give a backup to whoever asked over ssh: its name first, then each of its files from a byte on.
# Arguments: root, its name, or nothing for the newest; then nothing more, or a file of it and how many bytes of that are
# there already. Without a file one line is printed: `backup <name>`, separated by a tab.
set -Eeuo pipefail
export LC_ALL=C

NO_BACKUP=73

# newest ROOT: their names are their times.
newest() {
    local place found=
    for place in "$1"/backups/[0-9]*/manifest.tsv; do
        if [[ -f $place ]]; then
            found=${place%/manifest.tsv}
        fi
    done
    printf '%s' "${found##*/}"
}

main() {
    local name=$2
    name=${name:-$(newest "$1")}
    [[ -n $name && -f $1/backups/$name/manifest.tsv ]] || exit "$NO_BACKUP"
    if (($# == 2)); then
        printf 'backup\t%s\n' "$name"
        return
    fi
    exec tail -c "+$(($4 + 1))" -- "$1/backups/$name/$3"
}

main "$@"
