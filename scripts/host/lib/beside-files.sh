# shellcheck shell=bash
# Files of a backup unpacked beside those in service, and compared with its manifest byte for byte.

# beside_files NAME FOLDER PLACE
beside_files() {
    local archive owner mode folder was now
    folder=$(part_field "$1" place) archive=$2/$(part_field "$1" file)
    archive_is_plain "$1" "$archive"
    read -r owner mode < <(owner_and_mode "$folder")
    lay_folder '' "$3" "$owner" "$mode"
    say beside_unpack "$1" "$(human_bytes "$(part_field "$1" unpacked)")"
    if ! pour "$archive" tar --extract --file - --directory "$3" --preserve-permissions --numeric-owner; then
        stop_with beside_not_loaded "$1"
    fi
    was=$(files_of_backup "$2" "$1")
    now=$(files_in "$3")
    if [[ $was != "$now" ]]; then
        show_difference "$was" "$now"
        stop_with beside_files_differ "$1"
    fi
    label_for_containers "$3"
    say beside_files_compared "$1" "$(records "$2/manifest.tsv" file | awk -F '\t' -v name="$1" '$1 == name' | wc -l)"
    if is_single "$folder"; then
        mv -T -- "$3/${folder##*/}" "$3.file"
        rmdir -- "$3"
        mv -T -- "$3.file" "$3"
    fi
}

# archive_is_plain NAME ARCHIVE: files, folders and links between them; no name that leads out of the folder.
archive_is_plain() {
    local strange
    strange=$(tar --list --verbose --gzip --quoting-style=escape --file "$2" |
        awk '$1 !~ /^[-dlh]/ { print; next }
            { name = $0; sub(/^[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ /, "", name) }
            name ~ /^\// || name ~ /(^|\/)\.\.(\/|$)/ { print }')
    if [[ -n $strange ]]; then
        printf '%s\n' "$strange" | cut -c 1-200 | head -n 20 >&2
        stop_with beside_unsafe "$1"
    fi
}

# files_of_backup FOLDER NAME: `sum  path` of each file, from its manifest.
files_of_backup() {
    records "$1/manifest.tsv" file | awk -F '\t' -v name="$2" '$1 == name { print $4 "  " $2 }' | sort
}

# files_in FOLDER: the same of what is there.
files_in() {
    (cd -- "$1" && find . -type f -printf '%P\0' | xargs -0 -r sha256sum --) | sort
}
