# shellcheck shell=bash disable=SC2034,SC2153 # the entry scripts and the library share globals
# What a restore takes from a backup, and whether it may. Reads only.

PARTS=                  # a line each: name, kind, file, unpacked bytes, place below the root, service or -, family or -
BACKUP_MARGIN=300000000 # bytes of a database that holds nothing yet

# choose_backup NAME: sets BACKUP, a folder; what does not verify ends here, with 3.
choose_backup() {
    local flaws
    BACKUP=$ROOT/backups/$1
    if [[ $1 == */* ]]; then
        BACKUP=$(CDPATH='' cd -- "$1" 2>/dev/null && pwd -P) || BACKUP=
    fi
    if [[ -z $BACKUP || ! -d $BACKUP ]]; then
        fail backup_absent "$1"
        list_backups
        exit 2
    fi
    say backup_verify "$BACKUP"
    flaws=$(backup_flaws "$BACKUP")
    if [[ -n $flaws ]]; then
        printf '%s\n' "$flaws"
        fail backup_bad "$BACKUP" "$(printf '%s\n' "$flaws" | wc -l)"
        exit 3
    fi
}

# list_backups: on stdout, the newest first.
list_backups() {
    local place
    for place in "$ROOT"/backups/[0-9]*/; do
        if [[ -f $place/manifest.tsv ]]; then
            place=${place%/}
            printf '%s\n' "${place##*/}"
        fi
    done | sort -r
}

# backup_of_release ID: the newest that was made while this release was in service, and is whole as far as a glance tells; the
# newest of all where none is: what is wrong with it is told by name. Nothing where there is none.
backup_of_release() {
    local name newest=''
    for name in $(list_backups); do
        if [[ $(fact "$ROOT/backups/$name/manifest.tsv" release) == "$1" ]]; then
            newest=${newest:-$name}
            if backup_stands "$ROOT/backups/$name"; then
                newest=$name
                break
            fi
        fi
    done
    printf '%s' "$newest"
}

# backup_to_drill: the newest that the release in service can take; the newest of all where there is none such.
backup_to_drill() {
    local name own
    own=$(fact "$FACTS" id)
    for name in $(list_backups); do
        if [[ ! $(fact "$ROOT/backups/$name/manifest.tsv" release) > $own ]]; then
            printf '%s' "$name"
            return
        fi
    done
    list_backups | sed -n 1p
}

# judge_data: whether the release can go on with the data that is there; ends with 5 where it cannot.
judge_data() {
    local name service family series folder found refused=0
    while IFS=$'\t' read -r name service family series folder; do
        found=$(data_of "$ROOT/shared/$folder")
        if [[ -z $found ]] || ! in_mode "$service"; then
            continue
        elif [[ $found == *' -' ]]; then
            found="${found% *} $(recorded_series "$name" "${found% *}")"
            found=${found/% /" $series"} # nobody knows
        fi
        if [[ $found != "$family $series" ]]; then
            fail rollback_family "$name" "$found" "$(fact "$FACTS" id)" "$family $series"
            refused=$((refused + 1))
        fi
    done < <(records "$FACTS" data)
    if ((refused)); then
        fail rollback_refused "$(fact "$FACTS" id)"
        exit 5
    fi
}

# backup_fact KIND: of the chosen backup.
backup_fact() {
    fact "$BACKUP/manifest.tsv" "$1"
}

# choose_parts NAME...: sets PARTS to these, or to all that the backup holds.
choose_parts() {
    local name
    PARTS=$(parts_of "$BACKUP" "$@")
    for name in "$@"; do
        [[ -n $(part_field "$name" name) ]] || usage_error part_unknown "$name" "$(parts_of "$BACKUP" | cut -f 1 | tr '\n' ' ')"
    done
}

# parts_of FOLDER [NAME...]
parts_of() {
    awk -F '\t' -v OFS='\t' -v only=" ${*:2} " '
        $1 == "family" { service[$2] = $3; family[$2] = $4 }
        $1 == "member" && $3 ~ /^(dump|rdb|files)$/ && (only == "  " || index(only, " " $2 " ")) {
            print $2, $3, $4, $7, $8, ($2 in service ? service[$2] : "-"), ($2 in family ? family[$2] : "-")
        }' "$1/manifest.tsv"
}

# part_names: in the order of the backup.
part_names() {
    printf '%s' "${PARTS:+$PARTS$'\n'}" | cut -f 1
}

# part_field NAME FIELD
part_field() {
    awk -F '\t' -v name="$1" -v field="$2" '
        BEGIN { count = split("name kind file unpacked place service family", key, " "); for (i = 1; i <= count; i++) at[key[i]] = i }
        $1 == name { print $at[field]; exit }' <<<"$PARTS"
}

# owner_and_mode PLACE: as the release wants that folder.
owner_and_mode() {
    mount_of "$1" | awk -F '\t' 'NR == 1 { print $6, $7 }'
}

is_single() {
    [[ ,$(mount_of "$1" | cut -f 8), == *,single,* ]]
}

# mount_of PLACE: the release's records of it, without their kind.
mount_of() {
    records "$FACTS" mount | awk -F '\t' -v place="$1" '$2 == "host" && $4 == place'
}

# judge_backup: every reason why this backup cannot go under this release, at once; ends with 5 where there is one.
judge_backup() {
    local kind id text refused=0
    FINDINGS=$(mktemp)
    judge_origin
    judge_parts
    judge_room
    while IFS=$'\t' read -r kind id text; do
        say "finding_$kind" "$id" "$text"
        refused=$((refused + 1))
    done <"$FINDINGS"
    rm -f -- "$FINDINGS"
    if ((refused)); then
        fail restore_refused "${BACKUP##*/}" "$refused"
        exit 5
    fi
}

# judge_origin: tables grow with releases, and an older release does not know the newer ones.
judge_origin() {
    local own stack release
    own=$(fact "$FACTS" id) stack=$(backup_fact stack) release=$(backup_fact release)
    if [[ $stack != "$STACK" ]]; then
        refuse restore_stack stack "$stack" "$STACK"
    fi
    if [[ $release > $own ]]; then
        refuse restore_newer release "$release" "$own" "$release"
    fi
}

judge_parts() {
    local name kind service family place
    while IFS=$'\t' read -r name kind _ _ place service family; do
        if [[ -z $(mount_of "$place") ]]; then
            refuse restore_place "$name" "$name" "$place" "$(fact "$FACTS" id)"
        elif [[ $kind != files ]]; then
            judge_family "$name" "$service" "$family"
        fi
        if is_mount_point "$ROOT/$place"; then
            refuse restore_mount "$name" "$ROOT/$place"
        fi
    done < <(printf '%s' "${PARTS:+$PARTS$'\n'}")
}

# judge_family NAME SERVICE FAMILY: against what this release runs under that name.
judge_family() {
    local has series wants now
    series=$(records "$BACKUP/manifest.tsv" family | awk -F '\t' -v name="$1" '$1 == name { print $4 }')
    has=$(records "$FACTS" data | awk -F '\t' -v name="$1" '$1 == name { print $3 }')
    now=$(records "$FACTS" data | awk -F '\t' -v name="$1" '$1 == name { print $4 }')
    wants=$(fact "$FACTS" id)
    if [[ $has != "$3" ]]; then
        refuse restore_family "$1" "$1" "$3" "$series" "$wants" "${has:--}"
    elif ! version_at_least "$now" "$series"; then
        refuse restore_series "$1" "$1" "$3" "$series" "$wants" "$now"
    elif ! in_mode "$2"; then
        refuse restore_mode "$1" "$1" "$2" "$MODE"
    fi
}

# is_mount_point PATH: it cannot be renamed then.
is_mount_point() {
    awk -v path="$1" '$5 == path { found = 1 } END { exit !found }' /proc/self/mountinfo
}

# judge_room: for what is unpacked, beside what is there. What shares a file system adds up.
judge_room() {
    local need mount free
    while IFS=$'\t' read -r mount need; do
        free=$(($(df -P -- "$mount" | awk 'NR == 2 { print $4 }') * 1024))
        if ((free < need)); then
            refuse restore_room room "$mount" "$(human_bytes "$free")" "$(human_bytes "$need")" "$(human_bytes $((need - free)))"
        fi
    done < <(room_by_mount)
}

# room_by_mount: mount point and bytes. A loaded dump takes about twice its text, with indexes.
room_by_mount() {
    local kind unpacked place
    while IFS=$'\t' read -r _ kind _ unpacked place _; do
        case $kind in
            dump) unpacked=$((unpacked * 2 + BACKUP_MARGIN)) ;;
            rdb) unpacked=$((unpacked * 3)) ;;
        esac
        printf '%s\t%s\n' "$(mount_point "$(existing_parent "$ROOT/${place%/*}")")" "$unpacked"
    done < <(printf '%s' "${PARTS:+$PARTS$'\n'}") |
        awk -F '\t' -v OFS='\t' '{ sum[$1] += $2 } END { for (mount in sum) printf "%s\t%.0f\n", mount, sum[mount] }'
}
