# shellcheck shell=bash
# JSON written by hand, for programs that ask.

# json_text TEXT: as a string. Bytes that are no UTF-8 become `?`.
json_text() {
    local text=$1 letter code done=''
    is_utf8 "$text" || text=$(printf '%s' "$text" | tr '\200-\377' '?')
    text=${text//\\/\\\\}
    text=${text//\"/\\\"}
    while [[ $text == *[[:cntrl:]]* ]]; do
        done+=${text%%[[:cntrl:]]*}
        text=${text#"${text%%[[:cntrl:]]*}"}
        letter=${text:0:1} text=${text:1}
        printf -v code '%d' "'$letter"
        printf -v letter '\\u%04x' "$code"
        done+=$letter
    done
    printf '"%s"' "$done$text"
}

# json_list: each line of stdin, which is JSON already, in a list.
json_list() {
    awk '{ printf "%s%s", sep, $0; sep = "," } BEGIN { printf "[" } END { printf "]" }'
}

# json_texts: each line of stdin as a string, in a list.
json_texts() {
    local line
    while IFS= read -r line; do
        json_text "$line"
        printf '\n'
    done | json_list
}
