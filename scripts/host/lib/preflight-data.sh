# shellcheck shell=bash
# Preflight of the data: what is there fits the release, and no empty folder is begun where data lies elsewhere.

# Where people put stacks; a folder `mysql/data` below one of these is worth a word.
USUAL_PLACES=(/opt/* /srv/* /data/* /root/* /home/* /home/*/*)

preflight_data() {
    local name service family series folder found
    while IFS=$'\t' read -r name service family series folder; do
        if ! in_mode "$service"; then
            continue
        fi
        found=$(data_of "$(data_source "$folder")")
        if [[ -n $found ]]; then
            fits "$name" "$family" "$series" "$folder" "${found% *}" "${found#* }"
        elif [[ -z $ADOPT ]]; then
            elsewhere "$name" "$service" "$family" "$folder"
        fi
    done < <(records "$FACTS" data)
}

# data_source FOLDER: where this folder's data is, or will be taken from.
data_source() {
    if [[ -n $ADOPT ]] && ! holds_data "$ROOT/shared/$1"; then
        printf '%s' "$ADOPT/$1"
    else
        printf '%s' "$ROOT/shared/$1"
    fi
}

# fits NAME FAMILY SERIES FOLDER FOUND_FAMILY FOUND_SERIES
fits() {
    local found=$6 place
    place=$(data_source "$4")
    if [[ $found == - ]]; then
        found=$(recorded_series "$1" "$2")
    fi
    if [[ $5 != "$2" ]]; then
        refuse pf_data_family "data-$1" "$place" "$5" "$2"
    elif [[ -z $found || $found == "$3" ]]; then
        return 0
    elif version_at_least "$3" "$found"; then
        refuse pf_data_older "data-$1" "$place" "$5" "$found" "$3"
    else
        refuse pf_data_newer "data-$1" "$place" "$5" "$found" "$3"
    fi
}

# recorded_series NAME FAMILY: where the files do not tell, what the release in service says it runs.
recorded_series() {
    local name family series
    if [[ ! -f $ROOT/current/scripts/facts.tsv ]]; then
        return 0
    fi
    while IFS=$'\t' read -r name _ family series _; do
        if [[ $name == "$1" && $family == "$2" ]]; then
            printf '%s' "$series"
        fi
    done < <(records "$ROOT/current/scripts/facts.tsv" data)
}

# elsewhere NAME SERVICE FAMILY FOLDER: the stack's own folder is empty; names data that seems to be what was meant.
elsewhere() {
    local place folder mounted found
    mounted=$(mounted_data "$2" "$4")
    if [[ -n $mounted ]]; then
        is_elsewhere refuse "$1" "$3" "$4" "$mounted"
    elif found=$(data_of "$ROOT/$4") && [[ $found == "$3 "* ]]; then
        is_elsewhere refuse "$1" "$3" "$4" "$ROOT/$4"
    else
        for place in "${USUAL_PLACES[@]}"; do
            for folder in "$place/$4" "$place/shared/$4"; do
                if [[ $place != "$ROOT" && $(data_of "$folder") == "$3 "* ]]; then
                    is_elsewhere warn "$1" "$3" "$4" "$folder"
                fi
            done
        done
    fi
}

# is_elsewhere KIND NAME FAMILY FOLDER PLACE: one of this kit's own roots is named by --root, any other by --adopt.
is_elsewhere() {
    if [[ $5 == */shared/$4 ]]; then
        finding "$1" pf_data_other_root "data-$2" "$ROOT/shared/$4" "$3" "$5" "${5%/shared/"$4"}"
    else
        finding "$1" pf_data_elsewhere "data-$2" "$ROOT/shared/$4" "$3" "$5" "${5%/"$4"}"
    fi
}

# mounted_data SERVICE FOLDER: the folder with data that a container of this name, running or not, mounts in that place.
mounted_data() {
    local container mounts pair target
    target=$(records "$FACTS" mount | awk -F '\t' -v service="$1" -v folder="$2" '$1 == service && $3 == folder { print $5 }')
    while IFS=$'\x1f' read -r container _ _ _ mounts; do
        if [[ $container == "/$1" ]]; then
            for pair in $mounts; do
                if [[ ${pair#*:} == "$target" && ${pair%%:*} != "$ROOT/shared/$2" ]] && holds_data "${pair%%:*}"; then
                    printf '%s' "${pair%%:*}"
                fi
            done
        fi
    done < <(printf '%s' "${CONTAINERS:+$CONTAINERS$'\n'}")
}
