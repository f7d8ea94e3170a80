# shellcheck shell=bash disable=SC2153 # the entry scripts and the library share globals
# Folders of files in a backup, each file with its hash: of exactly the bytes that are in the archive, although people
# upload meanwhile.

ROUNDS=3 # tries until nothing that was read was written meanwhile

# backup_files: every mount that the host owns and no database writes.
backup_files() {
    local name source path folders
    folders=$(records "$FACTS" data | cut -f 5 | sed 's|^|shared/|')
    while IFS=$'\t' read -r name source; do
        if [[ ! -e $ROOT/$source ]] || grep -qxF -- "$source" <<<"$folders"; then
            continue
        fi
        say backup_part "$name"
        if [[ -d $ROOT/$source ]]; then
            (cd -- "$ROOT/$source" && find . -print0) | plain_names "$ROOT/$source" >"$WORK/.list" || exit
            pack_paths "$name" files "$ROOT/$source" "$source" <"$WORK/.list"
        else
            printf './%s\n' "${source##*/}" >"$WORK/.list"
            pack_paths "$name" files "$ROOT/${source%/*}" "$source" <"$WORK/.list"
        fi
    done < <(file_mounts)
}

# file_mounts: `name source` of each mount that the host owns. A release of an older kit does not say the name.
file_mounts() {
    records "$FACTS" mount | awk -F '\t' -v OFS='\t' '$2 == "host" {
        name = $9
        if (name == "" || name == "-") { name = $3; gsub(/\//, "-", name) }
        print name, $4
    }'
}

# plain_names FOLDER: NUL-separated paths as lines, sorted. A manifest has no way to write the few that it refuses.
plain_names() {
    local path
    while IFS= read -r -d '' path; do
        if [[ $path == *[$'\t\n\\']* ]]; then
            stop_with backup_name "$1" "$(printf '%q' "$path")"
        fi
        printf '%s\n' "$path"
    done | sort
}

# pack_paths NAME KIND FOLDER PLACE: the paths on stdin, a line each, into NAME.tar.gz. Who wrote a file while it was read
# makes this begin again; one that only grew is taken as far as it was.
pack_paths() {
    local round
    cat >"$WORK/.wanted"
    for ((round = 1; ; round++)); do
        there "$3" <"$WORK/.wanted" >"$WORK/.paths"
        marks "$3" >"$WORK/.before"
        sums_of_files "$3" >"$WORK/.sums"
        if ! stream "$1.tar.gz" packed archive "$3"; then
            stream_failed "$1"
        fi
        marks "$3" >"$WORK/.after"
        if settled "$1" "$3"; then
            break
        elif ((round >= ROUNDS)); then
            stop_with backup_busy "$1" "$(sed -n 1p "$WORK/.changed")"
        fi
        say backup_again "$1" "$(sed -n 1p "$WORK/.changed")"
    done
    record_files "$1" "$2" "$4"
}

# there FOLDER: those of the paths on stdin that are still there.
there() {
    local path
    while IFS= read -r path; do
        if [[ -e $1/$path || -L $1/$path ]]; then
            printf '%s\n' "$path"
        fi
    done
}

# archive FOLDER: the paths in .paths, themselves and nothing below them. Codes: tar says 1 for a file that changed, which
# `settled` looks into.
archive() {
    local code=0
    tr '\n' '\0' <"$WORK/.paths" | tar -C "$1" --numeric-owner --no-recursion --null -T - -cf - || code=$?
    ((code <= 1))
}

# marks FOLDER: a line for each file, which any write to it changes: `inode size ctime path`.
marks() {
    (cd -- "$1" && tr '\n' '\0' <"$WORK/.paths" | xargs -0 -r stat --format '%F|%i %s %z|%n' --) 2>/dev/null |
        sed -n -e 's/^regular file|//p' -e 's/^regular empty file|//p'
}

# sums_of_files FOLDER: `sha256  path` of the same files.
sums_of_files() {
    (cd -- "$1" && cut -d '|' -f 2- "$WORK/.before" | tr '\n' '\0' | xargs -0 -r sha256sum --) || true # one that went is seen by its mark
}

# settled NAME FOLDER: nothing that was read was written meanwhile; what only grew gets the hash of what was taken. The
# others are in .changed.
settled() {
    local path sum size
    : >"$WORK/.changed"
    while IFS= read -r path; do
        size=$(tar -xOzf "$WORK/$1.tar.gz" -- "$path" | wc -c)
        sum=$(tar -xOzf "$WORK/$1.tar.gz" -- "$path" | sha256sum | cut -c 1-64)
        if [[ -f $2/$path && $(head -c "$size" -- "$2/$path" | sha256sum | cut -c 1-64) == "$sum" ]]; then
            awk -v path="$path" -v sum="$sum" 'substr($0, 67) == path { $0 = sum "  " path } { print }' "$WORK/.sums" >"$WORK/.sums-new"
            mv -- "$WORK/.sums-new" "$WORK/.sums"
        else
            printf '%s\n' "$path" >>"$WORK/.changed"
        fi
    done < <(comm -3 <(sort "$WORK/.before") <(sort "$WORK/.after") | sed 's/^\t//' | cut -d '|' -f 2- | sort -u)
    [[ ! -s $WORK/.changed ]]
}

# record_files NAME KIND PLACE
record_files() {
    local file=$1.tar.gz unpacked
    unpacked=$(gzip -dc -- "$WORK/$file" | wc -c)
    record member "$1" "$2" "$file" "$(stat -c %s -- "$WORK/$file")" "$STREAM_SUM" "$unpacked" "$3"
    awk -v name="$1" -F '|' '
        FNR == NR { split($1, mark, " "); size[substr($0, length($1) + 2)] = mark[2]; next }
        { path = substr($0, 67); print "file\t" name "\t" substr(path, 3) "\t" size[path] "\t" substr($0, 1, 64) }' \
        "$WORK/.before" "$WORK/.sums" >>"$WORK/.records"
}
