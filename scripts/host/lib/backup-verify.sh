# shellcheck shell=bash
# Whether a backup is the one that was made: its manifest's seal, each file's size and SHA-256, nothing beside them, and the
# last line that a whole dump has. Reads only.

BACKUP_FORMAT=1

# backup_flaws FOLDER: `bad<TAB>reason<TAB>file` for each bad thing: malformed, newer, missing, changed, extra, unfinished.
backup_flaws() {
    local manifest=$1/manifest.tsv format
    if [[ ! -f $manifest ]] || ! is_sealed "$manifest"; then
        printf 'bad\tmalformed\tmanifest.tsv\n'
        return
    fi
    format=$(fact "$manifest" format)
    if [[ $format != "$BACKUP_FORMAT" ]]; then
        printf 'bad\tnewer\tmanifest.tsv\n'
        return
    fi
    flaws_of_members "$1"
    (cd -- "$1" && find . -mindepth 1 -printf '%P\n') |
        grep -vxF -e manifest.tsv -e manifest.json -f <(records "$manifest" member | cut -f 3) |
        sed 's/^/bad\textra\t/' || true # grep ends so where nothing is left
}

# is_sealed FILE: its last line holds the sum of all above.
is_sealed() {
    [[ $(tail -n 1 -- "$1") == "sealed"$'\t'"$(sed '$d' "$1" | sha256sum | cut -c 1-64)" ]]
}

flaws_of_members() {
    local kind file bytes sum
    while IFS=$'\t' read -r _ kind file bytes sum _; do
        if [[ ! -f $1/$file || -L $1/$file ]]; then
            printf 'bad\tmissing\t%s\n' "$file"
        elif [[ $(stat -c %s -- "$1/$file") != "$bytes" || $(sha256sum <"$1/$file" | cut -c 1-64) != "$sum" ]]; then
            printf 'bad\tchanged\t%s\n' "$file"
        elif [[ $kind == dump && $(gzip -dc -- "$1/$file" | tail -n 1) != '-- Dump completed'* ]]; then
            printf 'bad\tunfinished\t%s\n' "$file"
        fi
    done < <(records "$1/manifest.tsv" member)
}

# backup_stands FOLDER: whether all of it is there, as far as a glance tells: its seal, and the size of each file.
backup_stands() {
    local file bytes
    [[ -f $1/manifest.tsv ]] && is_sealed "$1/manifest.tsv" || return 1
    while IFS=$'\t' read -r _ _ file bytes _; do
        [[ -f $1/$file && $(stat -c %s -- "$1/$file") == "$bytes" ]] || return 1
    done < <(records "$1/manifest.tsv" member)
}
