# shellcheck shell=bash
# What containers mount of a release: payload/<service>-<hash>/, named by its shipped content and made whole or not at
# all. Beside each lies <service>-<hash>.shipped, the sums of its hot modules as they were shipped.

# payload_folders FACTS: `folder service` of each, once.
payload_folders() {
    records "$1" mount | awk -F '\t' '$2 == "release" {
        split($4, part, "/"); folder = part[1] "/" part[2]
        if (!seen[folder]++) print folder, $1
    }'
}

# payload_mounts FACTS FOLDER: `path owner mode flags` of its mounts, below that folder.
payload_mounts() {
    records "$1" mount | awk -F '\t' -v OFS='\t' -v folder="$2/" '
        $2 == "release" && index($4, folder) == 1 { print substr($4, length(folder) + 1), $6, $7, $8 }'
}

# lay_payload: makes the folders that are not there yet.
lay_payload() {
    local folder
    mkdir -p -- "$ROOT/payload"
    rm -rf -- "$ROOT"/payload/.partial-*
    while read -r folder _; do
        if [[ ! -d $ROOT/$folder ]]; then
            say payload_new "$folder"
            make_payload "$folder"
        fi
    done < <(payload_folders "$FACTS")
}

make_payload() {
    local name=${1#payload/} path owner mode partial
    partial=$ROOT/payload/.partial-$name
    mkdir -p -- "$partial"
    while IFS=$'\t' read -r path owner mode _; do
        bring "$path" "$partial/$path"
        own "$partial/$path" "$owner" "$mode"
    done < <(payload_mounts "$FACTS" "$1")
    label_for_containers "$partial"
    replace_file "$ROOT/$1.shipped" 0644 hot_sums "$FACTS" "$1" "$partial"
    sync
    mv -T -- "$partial" "$ROOT/$1"
}

# own PATH OWNER MODE: of a folder and all it holds; files lose the x bits unless they are programs.
own() {
    local file=$((8#$3 & 8#666))
    chown -R -- "$2" "$1"
    find "$1" -type d -exec chmod "$3" {} +
    find "$1" -type f -perm /0111 -exec chmod "$3" {} +
    find "$1" -type f ! -perm /0111 -exec chmod "$(printf '%04o' "$file")" {} +
}

# label_for_containers PATH: where SELinux enforces, a container sees nothing without this label.
label_for_containers() {
    if command -v getenforce >/dev/null && [[ $(getenforce) == Enforcing ]]; then
        chcon -R -t container_file_t -- "$1"
    fi
}

# hot_folders FACTS: `folder service` of each with hot modules, once.
hot_folders() {
    records "$1" mount | awk -F '\t' '$2 == "release" && index("," $8 ",", ",hot,") {
        split($4, part, "/"); folder = part[1] "/" part[2]
        if (!seen[folder]++) print folder, $1
    }'
}

# hot_files FACTS FOLDER: the files of its hot modules below the current folder, NUL-separated; not what Python makes, nor
# what an editor or a killed run leaves.
hot_files() {
    local path flags
    while IFS=$'\t' read -r path _ _ flags; do
        if [[ ,$flags, == *,hot,* && -e $path ]]; then
            find "$path" -name __pycache__ -prune -o -type f ! -name '*.pyc' ! -name '*~' ! -name '.*.sw?' ! -name '.new-*' -print0
        fi
    done < <(payload_mounts "$1" "$2")
}

# hot_sums FACTS FOLDER PLACE: `sum  path` of the same, which lie in PLACE.
hot_sums() {
    (cd -- "$3" && hot_files "$1" "$2" | xargs -0 -r sha256sum --)
}

# compare_sums WAS NOW [MORE]: `path change` of each file that was edited, added or deleted; what MORE lists stands for what
# NOW says of the same file.
compare_sums() {
    awk -v OFS='\t' '
        { sum = substr($0, 1, 64); path = substr($0, 67) }
        list == "was" { was[path] = sum; next }
        { now[path] = sum }
        END {
            for (path in was) if (!(path in now)) print path, "deleted"
            for (path in now) if (!(path in was)) print path, "added"
                else if (now[path] != was[path]) print path, "edited"
        }' list=was "$1" list=now "$2" ${3:+"$3"}
}
