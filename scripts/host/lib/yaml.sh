# shellcheck shell=bash
# One value of a YAML file by its path of keys (`manager-api.secret`), read and set without a YAML parser. It knows block
# mappings of plain or quoted keys, as people write configuration, and refuses to touch what it does not understand.

# yaml_get FILE KEY: `unset` (absent, empty or null), `value TEXT`, or `other` (not a plain text, or not understood).
yaml_get() {
    if [[ ! -s $1 ]]; then
        printf 'unset\n'
        return
    fi
    YAML_KEY=$2 YAML_SET=no awk "$YAML_PROGRAM" "$1"
}

# yaml_set FILE KEY: to the text in the variable YAML_VALUE of the environment, as it may be a secret; the new file goes to
# stdout. Fails where the file is not understood.
yaml_set() {
    YAML_KEY=$2 YAML_SET=yes YAML_VALUE=$YAML_VALUE awk "$YAML_PROGRAM" "$1"
}

# The walk: at each level look at lines of exactly that level's indentation; all others belong to values or are deeper.
# No apostrophe in it: \047 stands for one.
# shellcheck disable=SC2016 # awk reads its own $0
YAML_PROGRAM='
function indent(line) { match(line, /^ */); return RLENGTH }
function blank(line) { return line ~ /^[ \t]*(#.*)?$/ }
function key_of(line,    name) {
    sub(/^ */, "", line)
    if (!match(line, /^("[^"]*"|\047[^\047]*\047|[^][ #:"\047{},&*!|>%@`-][^:#]*|-[^ :#][^:#]*) *:( |$)/)) return ""
    name = substr(line, 1, RLENGTH); sub(/ *: ?$/, "", name)
    if (name ~ /^["\047]/) name = substr(name, 2, length(name) - 2)
    return name
}
# rest_of: what follows the colon. Sets VALUE (without quotes), SHAPE (empty, text, other) and COMMENT.
function rest_of(line,    mark, at) {
    match(line, /^ *("[^"]*"|\047[^\047]*\047|[^:#"\047]+) *:/)
    HEAD = substr(line, 1, RLENGTH); line = substr(line, RLENGTH + 1); COMMENT = ""
    sub(/^ +/, "", line)
    mark = substr(line, 1, 1)
    if (mark == "\"" || mark == "\047") {
        at = index(substr(line, 2), mark)
        if (!at) { SHAPE = "other"; return }
        VALUE = substr(line, 2, at - 1); COMMENT = substr(line, at + 2)
        if (COMMENT !~ /^ *(#.*)?$/ || index(VALUE, "\\")) { SHAPE = "other"; return }
        sub(/^ */, "", COMMENT)
        SHAPE = VALUE == "" ? "empty" : "text"
        return
    }
    if (match(line, /(^| +)#/)) { COMMENT = substr(line, RSTART); sub(/^ +/, "", COMMENT); line = substr(line, 1, RSTART - 1) }
    sub(/ +$/, "", line)
    VALUE = line
    if (line ~ /^(~|null|Null|NULL|\{\})?$/) { VALUE = ""; SHAPE = "empty" }
    else SHAPE = line ~ /^[][{}&*!|>%@`]/ ? "other" : "text"
}
function strange() { if (ENVIRON["YAML_SET"] == "no") print "other"; exit (ENVIRON["YAML_SET"] != "no") }
function quoted(text) { gsub(/\047/, "\047\047", text); return "\047" text "\047" }
function spaces(count) { return sprintf("%" count "s", "") }

{ sub(/\r$/, "") && (CR = "\r"); text[NR] = $0 }

END {
    depth = split(ENVIRON["YAML_KEY"], want, "."); level = 1; parent = 0; parent_indent = -1; child = -1
    for (line = 1; line <= NR; line++) {
        if (blank(text[line])) continue
        if (text[line] ~ /^---[ \t]*(#.*)?$/ && !seen) { seen = 1; continue }
        if (text[line] ~ /^ *\t/ || text[line] ~ /^(---|\.\.\.|%)/) strange()
        seen = 1; here = indent(text[line])
        if (here <= parent_indent) {
            if (child < 0 && here == parent_indent && text[line] ~ /^ *- /) strange()
            break
        }
        if (child < 0) { child = here; if (text[line] ~ /^ *(- |[{[])/) strange() }
        if (here != child || key_of(text[line]) != want[level]) continue
        rest_of(text[line])
        if (level == depth) { found = line; break }
        if (SHAPE != "empty") strange()
        parent = line; parent_indent = here; child = -1; level++
    }
    if (found) {
        for (next_line = found + 1; next_line <= NR && blank(text[next_line]); next_line++) ;
        if (next_line <= NR && (indent(text[next_line]) > child || (SHAPE == "empty" && text[next_line] ~ "^" spaces(child) "- ")))
            SHAPE = "other"
        if (SHAPE == "other") strange()
    }
    if (ENVIRON["YAML_SET"] == "no") { print (found && SHAPE == "text" ? "value " VALUE : "unset"); exit }

    value = quoted(ENVIRON["YAML_VALUE"])
    if (found) text[found] = HEAD " " value (COMMENT == "" ? "" : " " COMMENT)
    else {
        if (child < 0) child = parent ? parent_indent + 2 : 0
        for (; level <= depth; level++) {
            added = added (added == "" ? "" : CR "\n") spaces(child) want[level] ":" (level == depth ? " " value : "")
            child += 2
        }
        if (parent) { rest_of(text[parent]); text[parent] = HEAD (COMMENT == "" ? "" : " " COMMENT) CR "\n" added }
    }
    for (line = 1; line <= NR; line++) print text[line] CR
    if (!found && !parent) print added CR
}
'
