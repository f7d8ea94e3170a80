# shellcheck shell=bash disable=SC2153 # the entry scripts and the library share globals
# The manifest of a backup: records for bash, sealed by their own hash; the same as JSON for programs.

# backup_seal ID SECONDS
backup_seal() {
    manifest_lines "$1" "$2" >"$WORK/.lines"
    printf 'sealed\t%s\n' "$(sha256sum <"$WORK/.lines" | cut -c 1-64)" >>"$WORK/.lines"
    manifest_json "$WORK/.lines" >"$WORK/manifest.json"
    mv -- "$WORK/.lines" "$WORK/manifest.tsv"
}

manifest_lines() {
    printf 'format\t%s\nid\t%s\nstack\t%s\nrelease\t%s\nmode\t%s\ncreated\t%s\nseconds\t%s\n' "$BACKUP_FORMAT" "$1" "$STACK" \
        "$(fact "$FACTS" id)" "$MODE" "$(date -u +%FT%TZ)" "$2"
    cat -- "$WORK/.records"
}

# manifest_json FILE: a manifest.tsv as one JSON object. Bytes that are no UTF-8 become `?`.
manifest_json() {
    local text
    text=$(<"$1")
    is_utf8 "$text" || text=$(tr '\200-\377' '?' <<<"$text")
    awk -F '\t' '
        BEGIN {
            shape["family"] = "families name service family series version"
            shape["schema"] = "schemas name fingerprint"
            shape["table"] = "tables name database table rows"
            shape["keys"] = "keys name db count expires"
            shape["member"] = "members name kind file bytes sha256 unpacked place"
            shape["file"] = "files member path bytes sha256"
            lists = split("families schemas tables keys members files", list, " ")
            number = " format seconds db rows count expires bytes unpacked "
        }
        function text(value) {
            gsub(/\\/, "\\\\", value); gsub(/"/, "\\\"", value); gsub(/[\001-\037]/, "?", value)
            return "\"" value "\""
        }
        function as(name, value) {
            if (value == "-" || value == "") return "null"
            return index(number, " " name " ") ? value : text(value)
        }
        $1 in shape {
            fields = split(shape[$1], field, " ")
            line = ""
            for (i = 2; i <= fields; i++) line = line (i > 2 ? "," : "") "\"" field[i] "\":" as(field[i], $i)
            found[field[1]] = found[field[1]] (found[field[1]] == "" ? "" : ",\n") "{" line "}"
            next
        }
        $1 == "drill" {
            drill = "{\"at\":" text($2) ",\"result\":" text($3) ",\"seconds\":" $4 ",\"what\":" text($5) "}"
            next
        }
        $1 != "sealed" { head = head "\"" $1 "\":" as($1, $2) "," }
        END {
            printf "{%s", head
            for (i = 1; i <= lists; i++) printf "\"%s\":[%s],\n", list[i], found[list[i]]
            printf "\"drill\":%s}\n", drill == "" ? "null" : drill
        }' <<<"$text"
}
