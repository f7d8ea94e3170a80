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

# releases_since OMITTED: the releases that an omitted.tsv counts on, one a line; one of them is enough.
releases_since() {
    awk -F '\t' '
        $1 == "blob" || $1 == "file" {
            count = split($1 == "blob" ? $3 : $5, id, " ")
            for (i = 1; i <= count; i++) if (length(id[i]) == 15 && id[i] ~ /^[0-9]+-[0-9]+$/) print id[i]
        }' "$1" | sort -u
}
