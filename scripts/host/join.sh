#!/usr/bin/env bash
# Check the parts of a bundle, and unpack them into the current folder with no joined copy on disk
# (docs/bundle-format.md, "Parts"). It lies beside the parts, before there is a bundle: so it needs nothing beside itself.
set -Eeuo pipefail
set +o posix # a caller's POSIXLY_CORRECT turns it on

declare -A ENGLISH CHINESE
ENGLISH=(
    [error]='error: '
    [unexpected]='%s ended with code %s, which nothing foresaw: %s'
    [usage]='usage: bash join.sh [--check] [--lang zh|en] [FOLDER | LIST | PART]

Checks each part of a bundle, then unpacks the bundle into the current folder; no joined copy is written.
  --check   only check the parts
The parts are those beside this script, unless a folder, a .parts.sha256 or a part is named.
Ends with 0 (done), 3 (each bad part is named on stdout), 2 (used wrongly), 6 (not unpacked, nothing is left of it),
130 (interrupted, nothing is left of it) or 1 (unexpected).'
    [option_unknown]='%s: this option is not known'
    [option_value]='--lang takes zh or en'
    [argument_extra]='%s: one folder, list or part at most'
    [argument_missing]='%s: there is no such file or folder'
    [argument_strange]='%s: neither a .parts.sha256 nor a part'
    [list_missing]='%s has no list of parts: copy the file that ends in .parts.sha256 there too'
    [list_choice]='%s has the parts of more than one bundle; name one of: %s'
    [list_malformed]='%s is not a list of parts: copy it again from where the parts were made'
    [checking]='part %s of %s: checking %s (%s bytes)'
    [changed]='part %s, %s: not as it was made; copy it again'
    [missing]='part %s, %s: not here; copy it here'
    [renamed]='part %s is here under another name, %s: name it rightly'
    [duplicate]='part %s is here once more, as %s: remove it'
    [surplus]='part %s, %s: no part of this bundle; remove it'
    [bad]='The parts are not those that were made: %s problems, named above. Nothing was unpacked.'
    [good]='All %s parts of %s are as they were made.'
    [there]='%s is there already: verify it (bash %s/scripts/verify.sh), or move it away first'
    [room]='%s has %s bytes free, and the bundle takes at least %s: free some, or start this from a folder on another disk'
    [target]='%s: nothing can be unpacked here; start this from a folder of yours on a Linux disk'
    [broken]='It could not be unpacked (see above), and what was unpacked is taken away again.
Is there room (df -h .)? Are the parts still good (bash %s --check)?'
    [strange]='The archive does not hold one folder %s, as every bundle does; what was unpacked is taken away again.'
    [unpacked]='Unpacked to %s. Next: bash %s/scripts/verify.sh'
)
CHINESE=(
    [error]='错误：'
    [unexpected]='%s 以意料之外的退出码 %s 结束：%s'
    [usage]='用法：bash join.sh [--check] [--lang zh|en] [文件夹 | 清单 | 分卷]

逐个检查离线包的分卷，然后解包到当前文件夹；不会在磁盘上生成合并后的副本。
  --check   只检查分卷
默认使用与本脚本同一文件夹的分卷，也可以指定文件夹、.parts.sha256 清单或某个分卷。
退出码：0 完成，3 分卷有问题（逐个列在标准输出上），2 用法错误，6 没有解包成功且未留下任何内容，
130 被中断且未留下任何内容，1 意外错误。'
    [option_unknown]='%s：未知选项'
    [option_value]='--lang 只接受 zh 或 en'
    [argument_extra]='%s：最多指定一个文件夹、清单或分卷'
    [argument_missing]='%s：没有这个文件或文件夹'
    [argument_strange]='%s：既不是 .parts.sha256 清单，也不是分卷'
    [list_missing]='%s 里没有分卷清单：请把以 .parts.sha256 结尾的文件也拷贝过来'
    [list_choice]='%s 里有多个离线包的分卷，请指定其中一个：%s'
    [list_malformed]='%s 不是分卷清单：请从制作分卷的地方重新拷贝'
    [checking]='分卷 %s（共 %s 个）：正在检查 %s（%s 字节）'
    [changed]='分卷 %s，%s：与制作时不一致，请重新拷贝'
    [missing]='分卷 %s，%s：不在这里，请拷贝过来'
    [renamed]='分卷 %s 在这里，但名字变成了 %s：请改回原名'
    [duplicate]='分卷 %s 多出一份：%s，请删除'
    [surplus]='分卷 %s，%s：不属于这个离线包，请删除'
    [bad]='这些分卷与制作时不一致：%s 个问题，已在上面列出。没有解包任何内容。'
    [good]='全部 %s 个分卷（%s）均与制作时一致。'
    [there]='%s 已经存在：请校验它（bash %s/scripts/verify.sh），或先把它移走'
    [room]='%s 剩余 %s 字节，而离线包至少需要 %s 字节：请腾出空间，或在另一块磁盘的文件夹里运行'
    [target]='%s：无法在这里解包，请在 Linux 磁盘上自己的文件夹里运行'
    [broken]='解包失败（见上），已解出的内容已全部清除。
空间是否足够（df -h .）？分卷是否仍然完好（bash %s --check）？'
    [strange]='归档里不是唯一的文件夹 %s（每个离线包都应如此）；已解出的内容已全部清除。'
    [unpacked]='已解包到 %s。下一步：bash %s/scripts/verify.sh'
)
LANGUAGE_NAME=en

# What the list has, by number from 1; what is there, by number from 0; what clean_up ends and removes.
NAMES=() DIGESTS=() FILES=() SUMS=() PROBLEMS=()
CHILDREN='' WORK=''

# tell KEY ARGUMENT...: one sentence on stderr.
tell() {
    local text=${ENGLISH[$1]}
    if [[ $LANGUAGE_NAME == zh ]]; then
        text=${CHINESE[$1]}
    fi
    shift
    # shellcheck disable=SC2059 # the formats are ours, and a test compares their fields in both languages
    printf -- "$text\n" "$@" >&2
}

# stop CODE KEY ARGUMENT...: the reason, and the end.
stop() {
    local code=$1
    shift
    printf '%s' "$(tell error 2>&1)" >&2
    tell "$@"
    exit "$code"
}

misused() {
    (stop 2 "$@") || true
    tell usage
    exit 2
}

unexpected() {
    local code=$? where="${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}" command=$BASH_COMMAND
    trap - ERR
    stop 1 unexpected "$where" "$code" "$command"
}

# choose_language WISH: en or zh; nothing means the caller's locale. Any other wish is refused.
choose_language() {
    local locale=${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}
    LANGUAGE_NAME=en
    if [[ ${1:-$locale} == zh* ]]; then
        LANGUAGE_NAME=zh
    fi
    [[ -z $1 || $1 == en || $1 == zh ]]
}

# read_arguments ARGUMENT...: sets CHECK and PLACE.
read_arguments() {
    while (($#)); do
        case $1 in
            --check) CHECK=1 ;;
            --lang)
                choose_language "${2:-?}" || misused option_value
                shift
                ;;
            -h | --help)
                tell usage
                exit 0
                ;;
            -*) misused option_unknown "$1" ;;
            *)
                [[ -z $PLACE ]] || misused argument_extra "$1"
                PLACE=$1
                ;;
        esac
        shift
    done
}

# find_list PLACE: sets FOLDER, TOP and ARCHIVE from a folder with one list, from a list, or from a part.
find_list() {
    local name=${1##*/}
    [[ -e $1 || $name == *.tar.gz.[0-9][0-9][0-9] ]] || misused argument_missing "$1"
    if [[ -d $1 ]]; then
        FOLDER=$1
        name=$(only_list "$1") || exit 2
    else
        FOLDER=$(dirname -- "$1")
    fi
    case $name in
        *.parts.sha256 | *.parts.json) TOP=${name%.parts.*} ;;
        *.tar.gz.[0-9][0-9][0-9]) TOP=${name%.tar.gz.*} ;;
        *) misused argument_strange "$1" ;;
    esac
    FOLDER=${FOLDER%/}/
    ARCHIVE=$TOP.tar.gz
    [[ -f $FOLDER$TOP.parts.sha256 ]] || misused list_missing "$FOLDER"
}

# only_list FOLDER: the name of the one list there.
only_list() {
    local -a lists
    lists=("${1%/}"/*.parts.sha256)
    [[ -e ${lists[0]} ]] || stop 2 list_missing "$1"
    ((${#lists[@]} == 1)) || stop 2 list_choice "$1" "${lists[*]##*/}"
    printf '%s' "${lists[0]##*/}"
}

# read_list: fills NAMES and DIGESTS, or ends with 3: every line is `<64 hex>  <archive>.<number>`, from 001 on.
read_list() {
    local line number=0 list=$TOP.parts.sha256
    while IFS= read -r line || [[ -n $line ]]; do
        number=$((number + 1))
        NAMES[number]=$ARCHIVE.$(printf '%03d' "$number")
        DIGESTS[number]=${line:0:64}
        if [[ ! ${DIGESTS[number]} =~ ^[0-9a-f]{64}$ || ${line:64} != "  ${NAMES[number]}" ]]; then
            number=0
            break
        fi
    done <"$FOLDER$list"
    if ((number == 0)) || [[ $(tail -c 1 -- "$FOLDER$list" | od -An -tx1) != *0a ]]; then
        printf 'bad\tmalformed\t%s\n' "$(shown "$list")"
        stop 3 list_malformed "$FOLDER$list"
    fi
}

# look: fills FILES and SUMS: every file whose name goes on after the archive's, and its digest.
look() {
    local file sum
    shopt -s nullglob
    for file in "$FOLDER$ARCHIVE"?*; do
        [[ -f $file ]] || continue
        tell checking "$((${#FILES[@]} + 1))" "${#NAMES[@]}" "$(shown "${file##*/}")" "$(stat -L -c %s -- "$file")"
        sum=$(sha256sum <"$file") || sum=unreadable
        FILES+=("${file##*/}")
        SUMS+=("${sum%% *}")
    done
}

# judge: holds FILES against the list and reports what is bad, as offline/bundle/parts.py does.
judge() {
    local k number name own held lacking
    local -A number_of numbers_by_digest here damaged
    for number in "${!NAMES[@]}"; do
        number_of[${NAMES[number]}]=$number
        numbers_by_digest[${DIGESTS[number]}]+="$number "
    done
    for k in ${FILES[@]+"${!FILES[@]}"}; do
        own=${number_of[${FILES[k]}]:-}
        if [[ -n $own && ${SUMS[k]} == "${DIGESTS[own]}" ]]; then
            here[$own]=1
        fi
    done
    for k in ${FILES[@]+"${!FILES[@]}"}; do
        name=${FILES[k]}
        own=${number_of[$name]:-}
        held=${numbers_by_digest[${SUMS[k]}]:-}
        if [[ -n $own && ${SUMS[k]} == "${DIGESTS[own]}" ]]; then
            continue
        elif [[ -n $held ]]; then
            lacking=
            for number in $held; do
                if [[ -z $lacking && -z ${here[$number]:-} ]]; then
                    lacking=$number
                fi
            done
            if [[ -n $lacking ]]; then
                here[$lacking]=1
                problem renamed "$lacking" "$name"
            else
                problem duplicate "${held%% *}" "$name"
            fi
        elif [[ -n $own ]]; then
            damaged[$own]=1
            problem changed "$own" "$name"
        else
            problem surplus "$(claimed_number "$name")" "$name"
        fi
    done
    for number in "${!NAMES[@]}"; do
        if [[ -z ${here[$number]:-}${damaged[$number]:-} ]]; then
            problem missing "$number" "${NAMES[number]}"
        fi
    done
}

# claimed_number NAME: the number that a surplus file gives itself, or -.
claimed_number() {
    local digits=${1#"$ARCHIVE".}
    if [[ $digits =~ ^[0-9]{3}$ && $digits != 000 ]]; then
        printf '%d' "$((10#$digits))"
    else
        printf -- -
    fi
}

# problem REASON NUMBER NAME
problem() {
    local name
    name=$(shown "$3")
    tell "$1" "$2" "$name"
    PROBLEMS+=("bad"$'\t'"part-$1"$'\t'"$name"$'\t'"$2")
}

# is_utf8 TEXT and shown NAME: as in scripts/lib/verify.sh, which is not here yet; a test compares them.
is_utf8() {
    local tail=$'[\x80-\xbf]' two three four
    [[ $1 == *[$'\x80'-$'\xff']* ]] || return 0
    two=$'[\xc2-\xdf]'$tail
    three=$'\xe0[\xa0-\xbf]'$tail$'|[\xe1-\xec\xee\xef]'$tail$tail$'|\xed[\x80-\x9f]'$tail
    four=$'\xf0[\x90-\xbf]'$tail$tail$'|[\xf1-\xf3]'$tail$tail$tail$'|\xf4[\x80-\x8f]'$tail$tail
    [[ $1 =~ ^([$'\x01'-$'\x7f']|$two|$three|$four)*$ ]]
}

shown() {
    local rest=$1 strange='[[:cntrl:]\\]' letter code
    is_utf8 "$1" || strange=$'[[:cntrl:]\x80-\xff\\\\]'
    while [[ -n $rest ]]; do
        letter=${rest:0:1}
        # shellcheck disable=SC2053 # a pattern on purpose
        if [[ $letter == $strange ]]; then
            printf -v code '%d' "'$letter"
            printf '\\x%02x' $((code & 0xff))
        else
            printf '%s' "$letter"
        fi
        rest=${rest:1}
    done
}

# total_bytes: of the parts that are there.
total_bytes() {
    local number total=0
    for number in "${!NAMES[@]}"; do
        if [[ -f $FOLDER${NAMES[number]} ]]; then
            total=$((total + $(stat -L -c %s -- "$FOLDER${NAMES[number]}")))
        fi
    done
    printf '%d' "$total"
}

# require_place: what would stop the unpacking is found before the parts are read.
require_place() {
    local free needed
    [[ ! -e ./$TOP && ! -L ./$TOP ]] || stop 6 there "$PWD/$TOP" "./$TOP"
    clear_leftovers
    needed=$(total_bytes)
    free=$(df --output=avail -B1 . | tail -n 1)
    ((free >= needed)) || stop 6 room "$PWD" "$((free))" "$needed"
}

# clear_leftovers: what a killed run left; a running one, its tar too, holds the lock of its own.
clear_leftovers() {
    local folder
    for folder in "./.$TOP.joining-"*; do
        if [[ -d $folder ]]; then
            flock -n "$folder" rm -rf -- "$folder" || true # somebody is unpacking there
        fi
    done
}

# unpack: into a folder of its own, which gets its name when all of it is there.
unpack() {
    local reader writer broken=0
    trap clean_up EXIT
    trap 'exit 130' INT TERM HUP
    WORK=$(mktemp -d "./.$TOP.joining-XXXXXX") || stop 6 target "$PWD"
    exec 9<"$WORK"
    flock -n 9 || stop 6 target "$PWD"
    { mkdir "$WORK/new" && mkfifo "$WORK/pipe"; } || stop 6 target "$PWD"
    tar -xzf - -C "$WORK/new" <"$WORK/pipe" &
    reader=$!
    feed >"$WORK/pipe" &
    writer=$!
    CHILDREN="$reader $writer"
    wait "$writer" || broken=1
    wait "$reader" || broken=1
    CHILDREN=
    ((broken == 0)) || stop 6 broken "${BASH_SOURCE[0]}"
    [[ -d $WORK/new/$TOP && $(ls -A "$WORK/new") == "$TOP" ]] || stop 6 strange "$TOP"
    mv -T -- "$WORK/new/$TOP" "./$TOP" || stop 6 there "$PWD/$TOP" "./$TOP"
}

# feed: the parts in order on stdout; runs apart, and ends with 1 where one cannot be read.
feed() {
    local number
    for number in "${!NAMES[@]}"; do
        cat -- "$FOLDER${NAMES[number]}" || exit 1
    done
}

# clean_up: for `trap clean_up EXIT`; nothing unpacked stays but under its own name.
clean_up() {
    local pid
    trap '' INT TERM HUP
    for pid in $CHILDREN; do
        kill "$pid" 2>/dev/null || true # it may have ended
        wait "$pid" 2>/dev/null || true
    done
    if [[ -n $WORK ]]; then
        rm -rf -- "$WORK"
    fi
}

main() {
    local here CHECK='' PLACE='' FOLDER='' TOP='' ARCHIVE=''
    trap unexpected ERR
    choose_language ''
    read_arguments "$@"
    export LC_ALL=C
    unset -v GREP_OPTIONS CDPATH GLOBIGNORE POSIXLY_CORRECT TAR_OPTIONS TAPE GZIP
    IFS=$' \t\n'
    here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
    find_list "${PLACE:-$here}"
    read_list
    [[ -n $CHECK ]] || require_place
    look
    judge
    if ((${#PROBLEMS[@]})); then
        printf '%s\n' ${PROBLEMS[@]+"${PROBLEMS[@]}"} | sort
        stop 3 bad "${#PROBLEMS[@]}"
    fi
    tell good "${#NAMES[@]}" "$ARCHIVE"
    if [[ -z $CHECK ]]; then
        unpack
        tell unpacked "$PWD/$TOP" "$TOP"
    fi
    printf 'ok\t%s\t%s\n' "${#NAMES[@]}" "$(total_bytes)"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
