# shellcheck shell=bash
# Preflight of room: bytes and inodes for the images, the stack's files and a backup. What shares a file system adds up.

ENGINE_MARGIN=1000000000                   # bytes beyond the images: container logs, writable layers, a shared layer that is loaded twice at once
ROOT_MARGIN=200000000                      # bytes beyond the files: logs, the former state of edited files
BYTES_PER_INODE=32768                      # of an image; Python and Debian trees have one file for some 30 kB
declare -gA PROMISED_BYTES PROMISED_INODES # by mount point: what earlier needs take

preflight_disk() {
    PROMISED_BYTES=()
    PROMISED_INODES=()
    if engine_answers; then
        need_of_engine
    fi
    need_of_root
    need_of_backups
}

# need_of_engine: layers that no image of the engine has, unpacked, and once more as they come: a containerd store keeps the
# packed ones, a classic one holds the plain archive until it is loaded (measured: 1.46 GB for images of 0.7 GB).
need_of_engine() {
    local unpacked coming
    read -r unpacked coming < <(missing_layer_bytes)
    need disk-engine refuse "$(storage_root)" $((unpacked + coming + ENGINE_MARGIN)) $((unpacked / BYTES_PER_INODE))
}

# missing_layer_bytes: unpacked, and as they come; reads the facts' layers, and those of every image that the engine has.
missing_layer_bytes() {
    awk -F '\t' -v keeps_packed="$(keeps_images_in_containerd && echo yes)" '
        FILENAME == "-" { has[$1] = 1; next }
        $1 == "raw" && !($2 in has) { plain[$2] = $3; unpacked += $3 }
        $1 == "layer" && !($4 in has) && !seen[$4]++ { packed[$4] = $6 }
        END {
            for (layer in packed) coming += (keeps_packed == "" && layer in plain) ? plain[layer] : packed[layer]
            printf "%.0f %.0f\n", unpacked, coming
        }
    ' - "$FACTS" < <(layers_of_engine)
}

layers_of_engine() {
    local -a ids
    mapfile -t ids < <(docker image ls --quiet --no-trunc | sort -u)
    if ((${#ids[@]})); then
        docker image inspect --format '{{range .RootFS.Layers}}{{println .}}{{end}}' ${ids[@]+"${ids[@]}"}
    fi
}

# need_of_root: everything of the bundle but images and engine is copied below the root, and what it left out there.
need_of_root() {
    local kilobytes files
    kilobytes=$(cd -- "$BUNDLE" && du -sk --exclude=./images --exclude=./engine . | cut -f 1)
    files=$(cd -- "$BUNDLE" && find . -path ./images -prune -o -path ./engine -prune -o -print | wc -l)
    need disk-root refuse "$ROOT" $((kilobytes * 1024 + $(omitted_bytes) + ROOT_MARGIN)) "$files"
}

# need_of_backups: this deploy makes one where another release is in service, and wants twice the data; a later one is at most as
# large as the data. None is made before there is something to lose.
need_of_backups() {
    local folder kilobytes total=0
    if backup_is_due; then
        kilobytes=$(backup_kilobytes "$ROOT/releases/$(state_get current)/scripts/facts.tsv")
        need disk-backups refuse "$ROOT/backups" $((2 * kilobytes * 1024)) 100
        return
    fi
    while IFS=$'\t' read -r _ _ _ _ folder; do
        if [[ -d $ROOT/shared/$folder ]]; then
            kilobytes=$(du -sk -- "$ROOT/shared/$folder" | cut -f 1)
            total=$((total + kilobytes))
        fi
    done < <(records "$FACTS" data)
    if ((total)); then
        need disk-backups warn "$ROOT/backups" $((total * 1024)) 100
    fi
}

# need ID KIND FOLDER BYTES INODES
need() {
    local folder mount free
    folder=$(existing_parent "$3")
    mount=$(mount_point "$folder")
    free=$((($(df -P -- "$folder" | awk 'NR == 2 { print $4 }') * 1024) - ${PROMISED_BYTES[$mount]:-0}))
    if ((free < $4)); then
        lacks_bytes "$1" "$2" "$3" "$mount" "$free" "$4"
    fi
    PROMISED_BYTES[$mount]=$((${PROMISED_BYTES[$mount]:-0} + $4))
    free=$(free_inodes "$folder")
    if [[ -n $free ]] && ((free - ${PROMISED_INODES[$mount]:-0} < $5)); then
        refuse pf_inodes "inodes-${1#disk-}" "$mount" "$3" "$free" "$5"
    fi
    PROMISED_INODES[$mount]=$((${PROMISED_INODES[$mount]:-0} + $5))
}

# lacks_bytes ID KIND FOLDER MOUNT FREE NEED
lacks_bytes() {
    local room='' free need missing
    room=$(roomiest)
    free=$(human_bytes $(($5 > 0 ? $5 : 0)))
    need=$(human_bytes "$6")
    missing=$(human_bytes $(($6 - $5)))
    case $1 in
        disk-engine) finding "$2" pf_disk_engine "$1" "$4" "$3" "$free" "$need" "$missing" "$room" ;;
        disk-root) finding "$2" pf_disk_root "$1" "$4" "$3" "$free" "$need" "$missing" "$room" ;;
        *) finding "$2" pf_disk_backups "$1" "$4" "$3" "$free" "$need" "$missing" "$room" ;;
    esac
}

# free_inodes FOLDER: nothing where the file system does not count them.
free_inodes() {
    df -Pi -- "$1" | awk 'NR == 2 && $2 ~ /^[0-9]+$/ && $2 > 0 { print $4 }'
}

# mount_point FOLDER: of the file system that it is on.
mount_point() {
    df -P -- "$1" | awk 'NR == 2 { for (field = 1; field < 6; field++) sub(/^[^ ]+ +/, ""); print }'
}

# roomiest: the local file system with the most room, and how much that is.
roomiest() {
    local kilobytes mount
    read -r kilobytes mount < <(
        df -Pl -x tmpfs -x devtmpfs -x overlay -x squashfs 2>/dev/null |
            awk '
                NR > 1 && $4 > most { most = $4; for (field = 1; field < 6; field++) sub(/^[^ ]+ +/, ""); mount = $0 }
                END { printf "%.0f %s\n", most, mount }'
    )
    printf '%s (%s)' "${mount:--}" "$(human_bytes $((kilobytes * 1024)))"
}
