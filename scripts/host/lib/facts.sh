# shellcheck shell=bash
# Read scripts/facts.tsv: one tab-separated record a line, its kind first, `-` for an empty field.

# records FILE KIND: every record of a kind, without the kind.
records() {
    awk -F '\t' -v kind="$2" '$1 == kind { print substr($0, length(kind) + 2) }' "$1"
}

# fact FILE KIND: the value of a kind that occurs once.
fact() {
    records "$1" "$2" | sed -n '1p'
}
