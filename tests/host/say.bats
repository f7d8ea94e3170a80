# What the shared helpers of the host scripts promise to every script that sources them.

bats_require_minimum_version 1.5.0

setup() {
    LIB=$BATS_TEST_DIRNAME/../../scripts/host/lib
    unset LC_ALL LC_MESSAGES LANG
    # shellcheck source=scripts/host/lib/say.sh
    source "$LIB/say.sh"
}

keys() {
    grep -ohE '^    \[[a-z0-9_]+\]=' "$LIB/messages.$1.sh" "$LIB"/messages-*."$1.sh"
}

fields() {
    (
        use_language "$1"
        for key in "${!MESSAGES[@]}"; do
            printf '%s %s\n' "$key" "$(grep -oE '%[a-z]' <<<"${MESSAGES[$key]}" | tr -d '\n')"
        done | LC_ALL=C sort
    )
}

@test "both languages have the same sentences, each with the same fields in the same order" {
    [ "$(keys en)" = "$(keys zh)" ]
    [ "$(keys en | wc -l)" -gt 10 ]
    [ "$(fields en)" = "$(fields zh)" ]
}

@test "every sentence that a script says exists, and every sentence is said" {
    code=$(find "$LIB/.." -name '*.sh' ! -name 'messages*' -exec sed -E '/^ *#|^LIB_FILES=/d' {} +)
    said=$(
        {
            grep -oE '\b(say|warn|alarm|fail|stop_with|usage_error|refuse|caution|finding "\$[0-9]") [a-z0-9_]+' <<<"$code"
            grep -oE "\b(finish|backup_ended) [0-9]+ '?[a-z]+'? [a-z_]+" <<<"$code"
            grep -oE 'USAGE=[a-z]+_usage' <<<"$code" | sed 's/.*=//'
            # said by names that are put together: steps by what they are, findings by whether they refuse
            grep -oE '\brun_step [a-z]+' <<<"$code" | sed 's/ /_/; s/run_//'
            grep -oE '\b[a-z]+:[a-z]+_[a-z]+\b' <<<"$code" | sed 's/^/step_/; s/:.*//'
            printf '%s\n' finding_refuse finding_warn
        } | awk '{ print $NF }' | sort -u
    )
    known=$(keys en | tr -d ' []=' | grep -vxE 'warning|error' | sort -u)
    [ "$said" = "$known" ]
}

@test "the language is the one that is wished, else that of the locale, else English" {
    use_language zh && [[ ${MESSAGES[error]} == 错误* ]]
    use_language en && [[ ${MESSAGES[error]} == error* ]]
    LANG=zh_CN.UTF-8 use_language '' && [[ ${MESSAGES[error]} == 错误* ]]
    LANG=zh_CN.UTF-8 LC_ALL=C use_language '' && [[ ${MESSAGES[error]} == error* ]]
    LANG=zh_CN.UTF-8 use_language en && [[ ${MESSAGES[error]} == error* ]]
    use_language '' && [[ ${MESSAGES[error]} == error* ]]
}

@test "another language than zh and en is refused, in English" {
    if use_language fr; then return 1; fi
    [[ ${MESSAGES[error]} == error* ]]
}

@test "sentences go to stderr only, warnings and errors with their word" {
    use_language en
    [ -z "$(say folder_missing x 2>/dev/null)" ]
    [ "$(say folder_missing x 2>&1)" = "x: there is no such folder" ]
    [ "$(warn folder_missing x 2>&1)" = "warning: x: there is no such folder" ]
    [ "$(fail folder_missing x 2>&1)" = "error: x: there is no such folder" ]
}

@test "a value is never taken for a format" {
    use_language en
    [ "$(say folder_missing '100%s \n' 2>&1)" = '100%s \n: there is no such folder' ]
}

@test "bytes are shown in powers of 1000 with one decimal" {
    [ "$(human_bytes 0)" = "0 B" ]
    [ "$(human_bytes 999)" = "999 B" ]
    [ "$(human_bytes 1000)" = "1.0 kB" ]
    [ "$(human_bytes 999999)" = "999.9 kB" ]
    [ "$(human_bytes 1370000000)" = "1.3 GB" ]
    [ "$(human_bytes 5000000000000)" = "5.0 TB" ]
}

@test "progress without a terminal is a plain line, and due every five seconds" {
    SECONDS=4
    if progress_is_due 2>/dev/null; then return 1; fi
    SECONDS=5
    progress_is_due 2>/dev/null
    [ "$(progress 1000 2000 2>&1)" = "  1.0 kB / 2.0 kB" ]
    progress 1000 2000 2>/dev/null
    if progress_is_due 2>/dev/null; then return 1; fi
    [ -z "$(progress_end 2>&1)" ]
}

@test "a failure that no line foresaw ends with code 1 and says where, whatever the command's code was" {
    cat >"$BATS_TEST_TMPDIR/script.sh" <<'END'
set -Eeuo pipefail
source "$1/say.sh"
use_language en
trap unexpected ERR
inner() { (exit 3); }
inner
END
    run bash "$BATS_TEST_TMPDIR/script.sh" "$LIB"
    [ "$status" -eq 1 ]
    [[ $output == *"script.sh:5 ended with code 3, which nothing foresaw"* ]]
}

@test "the environment is made plain, so that tools give the same bytes everywhere" {
    export LC_ALL=zh_CN.UTF-8 GREP_OPTIONS=--color=always CDPATH=/ IFS=x PATH=/sbin:/bin
    plain_environment
    [[ $PATH == /sbin:/bin:* && :$PATH: == *:/usr/local/bin:* ]] # the caller's own come first
    [ "$LC_ALL" = C ]
    [ -z "${GREP_OPTIONS+set}${CDPATH+set}" ]
    [ "$IFS" = $' \t\n' ]
}
