# shellcheck shell=bash
# Hot modules that were edited on the host: an edit stays live while the shipped file is unchanged. Where both changed
# the shipped one wins, and the edit is kept under drift/ and named.

declare -gA HOT_WAS HOT_LIVE HOT_NOW HOT_THERE # sums by path: shipped and on disk, of the old folder and of the new

# carry_edits OLD_FACTS: from the payload of the release in service into that of $BUNDLE.
carry_edits() {
    local folder service old
    while read -r folder service; do
        old=$(payload_folders "$1" | awk -v service="$service" '$2 == service { print $1 }')
        if [[ -n $old && $old != "$folder" && -d $ROOT/$old ]]; then
            carry_between "$1" "$old" "$folder" "$service"
        fi
    done < <(payload_folders "$FACTS")
}

# carry_between OLD_FACTS OLD NEW SERVICE
carry_between() {
    local path
    HOT_WAS=() HOT_LIVE=() HOT_NOW=() HOT_THERE=()
    while IFS= read -r path; do HOT_WAS[${path:66}]=${path:0:64}; done <"$ROOT/$2.shipped"
    while IFS= read -r path; do HOT_LIVE[${path:66}]=${path:0:64}; done < <(hot_sums "$1" "$2" "$ROOT/$2")
    while IFS= read -r path; do HOT_NOW[${path:66}]=${path:0:64}; done <"$ROOT/$3.shipped"
    while IFS= read -r path; do HOT_THERE[${path:66}]=${path:0:64}; done < <(hot_sums "$FACTS" "$3" "$ROOT/$3")
    while IFS= read -r path; do
        carry_one "$ROOT/$2" "$ROOT/$3" "$4" "$path"
    done < <(edited_paths)
}

# edited_paths: those whose content is not the shipped one, each once.
edited_paths() {
    local path
    for path in ${HOT_LIVE[@]+"${!HOT_LIVE[@]}"}; do
        if [[ ${HOT_LIVE[$path]} != "${HOT_WAS[$path]:-}" ]]; then
            printf '%s\n' "$path"
        fi
    done
    for path in ${HOT_WAS[@]+"${!HOT_WAS[@]}"}; do
        if [[ -z ${HOT_LIVE[$path]:-} ]]; then
            printf '%s\n' "$path"
        fi
    done
}

# carry_one OLD NEW SERVICE PATH
carry_one() {
    local path=$4 was live now there
    was=${HOT_WAS[$path]:-} live=${HOT_LIVE[$path]:-} now=${HOT_NOW[$path]:-} there=${HOT_THERE[$path]:-}
    if [[ $live == "$now" || $live == "$there" ]]; then
        return 0
    elif [[ $was != "$now" ]]; then
        keep_drift "$1" "$3" "$path"
        return 0
    fi
    if [[ -n $there && $there != "$now" ]]; then
        keep_drift "$2" "$3" "$path"
    fi
    say hot_carried "$3" "$path"
    if [[ -z $live ]]; then
        rm -f -- "$2/$path"
    else
        mkdir -p -- "$(dirname -- "$2/$path")"
        cp -p -- "$1/$path" "$2/$path.carried"
        mv -T -- "$2/$path.carried" "$2/$path"
    fi
}

# keep_drift FOLDER SERVICE PATH: a deleted file leaves nothing to keep.
keep_drift() {
    local kept
    kept=$ROOT/drift/$(fact "$FACTS" id)/$2/$3
    if [[ ! -e $1/$3 ]]; then
        warn hot_deleted "$2" "$3"
        return 0
    fi
    mkdir -p -- "$(dirname -- "$kept")"
    cp -p -- "$1/$3" "$kept"
    warn hot_drift "$2" "$3" "$kept"
}

# proved_place FOLDER: where the hot modules of that payload folder lie as its service last worked with them.
proved_place() {
    printf '%s/hot/%s' "$ROOT" "${1#payload/}"
}

# keep_proved: the stack works, so of each folder that it was started on anew what is live is what it works with.
keep_proved() {
    local folder place
    while read -r folder _; do
        place=$(proved_place "$folder")
        if [[ ! -d $place ]]; then
            rm -rf -- "$place.partial"
            (umask 077 && mkdir -p -- "$place.partial")
            (cd -- "$ROOT/$folder" && hot_files "$FACTS" "$folder" | xargs -0 -r cp -p --parents -t "$place.partial" --)
            mv -T -- "$place.partial" "$place"
        fi
    done < <(hot_folders "$FACTS")
}

# forget_proved OLD_FACTS: of the folders that the release in service does not use; what mounts them will start anew.
forget_proved() {
    local folder used=''
    if [[ -n $1 ]]; then
        used=$(hot_folders "$1")
    fi
    while read -r folder _; do
        if ! grep -qF -- "$folder " <<<"$used"; then
            rm -rf -- "$(proved_place "$folder")"
        fi
    done < <(hot_folders "$FACTS")
}
