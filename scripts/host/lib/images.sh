# shellcheck shell=bash
# What the images of a bundle need, read from its tables. No JSON parser is there: the kit writes index.json and
# manifest.json in the plain form of docs/bundle-format.md, and what is not in that form does not compare equal.

# needed_by_images OMITTED FACTS: reads SHA256SUMS too; prints, tab-separated,
#   incomplete <path>        a file that must be listed, or a blob that an image needs and that is not left out on purpose
#   malformed <path>         a table that cannot be read
#   newer <path> <format>    facts of a format that this script does not know
#   images                   once, where the facts could be read and name images
needed_by_images() {
    awk -F '\t' -v OFS='\t' -v blobs=images/blobs/sha256 -v known="$KNOWN_FORMAT" -v facts="$2" '
        function is_digest(text) { return length(text) == 71 && text ~ /^sha256:[0-9a-f]+$/ }
        function need(digest) { needed[substr(digest, 8)] = 1 }
        function spoil(table) { malformed[table] = 1 }

        table == "sums" { listed[substr($0, 67)] = 1; next }
        table == "omitted" && (NF < 3 || ($1 != "blob" && $1 != "file")) { spoil(table) }
        table == "omitted" && $1 == "blob" && !is_digest($2) { spoil(table) }
        table == "omitted" && $1 == "file" && (NF < 4 || !is_digest("sha256:" $4) || ($2 in listed)) { spoil(table) }
        table == "omitted" { if ($1 == "blob") left_out[substr($2, 8)] = 1; next }

        $1 == "format" && NF > 1 { formats++; format = $2 }
        $1 == "image" {
            images++
            if (NF < 6 || ($2 in layers) || !is_digest($5) || !is_digest($6)) { spoil("image") }
            layers[$2] = 0
            need($5); need($6)
        }
        $1 == "layer" {
            if (NF < 6 || !($2 in layers) || $3 != layers[$2] "" || !is_digest($4) || !is_digest($5)) { spoil("image") }
            layers[$2]++
            need($5)
        }

        END {
            count = split("release.json scripts/facts.tsv images/oci-layout images/index.json images/manifest.json", must, " ")
            for (i = 1; i <= count; i++) if (!(must[i] in listed)) print "incomplete", must[i]
            if ("omitted" in malformed) { print "malformed", "omitted.tsv"; exit }
            if (facts == "/dev/null") exit
            if (formats != 1 || length(format) > 9 || format !~ /^[1-9][0-9]*$/) { print "malformed", "scripts/facts.tsv"; exit }
            if (format + 0 > known + 0) { print "newer", "scripts/facts.tsv", format; exit }
            for (role in layers) if (layers[role] == 0) spoil("image")
            if (!images || ("image" in malformed)) { print "malformed", "scripts/facts.tsv"; exit }
            for (hex in needed) if (!(hex in left_out) && !(blobs "/" hex in listed)) print "incomplete", blobs "/" hex
            print "images"
        }
    ' table=sums SHA256SUMS table=omitted "$1" table=facts "$2"
}

# expected_index FACTS: `<content tag> <manifest digest>` of each image, sorted.
expected_index() {
    awk -F '\t' '$1 == "image" { print $3, $6 }' "$1" | sort -u
}

# index_entries: the same from index.json on stdin; an entry without its name or its digest shifts the pairs and shows.
index_entries() {
    tr -d ' \t\r\n' | awk -v FS='"' '{
        for (rest = $0; match(rest, /"digest":"[^"]*"|"io[.]containerd[.]image[.]name":"[^"]*"/); ) {
            split(substr(rest, RSTART, RLENGTH), part, "\"")
            rest = substr(rest, RSTART + RLENGTH)
            if (part[2] == "digest") digest = part[4]
            else { name = part[4]; sub(/^docker[.]io\//, "", name) }
            if (++count % 2 == 0) { print name, digest; name = digest = "" }
        }
        if (count % 2) print "odd"
    }' | sort -u
}

# expected_manifest FACTS: `<content tag> <config> <layer> …` of each image as manifest.json names them, sorted.
expected_manifest() {
    awk -F '\t' -v blobs=blobs/sha256/ '
        $1 == "image" { head[$2] = $3 " " blobs substr($5, 8) }
        $1 == "layer" { tail[$2] = tail[$2] " " blobs substr($5, 8) }
        END { for (role in head) print head[role] tail[role] }
    ' "$1" | sort -u
}

# manifest_entries: the same from manifest.json on stdin.
manifest_entries() {
    tr -d ' \t\r\n' | awk '{
        for (rest = $0; match(rest, /"Config":"[^"]*"|"RepoTags":\[[^]]*\]|"Layers":\[[^]]*\]/); ) {
            fields = split(substr(rest, RSTART, RLENGTH), part, "\"")
            rest = substr(rest, RSTART + RLENGTH)
            if (part[2] == "Config") config = part[4]
            if (part[2] == "RepoTags") { tags = 0; for (i = 4; i < fields; i += 2) tag[++tags] = part[i] }
            if (part[2] == "Layers") { layers = ""; for (i = 4; i < fields; i += 2) layers = layers " " part[i] }
            if (++count % 3) continue
            for (i = 1; i <= tags; i++) print tag[i], config layers
            tags = 0; config = layers = ""
        }
        if (count % 3) print "odd"
    }' | sort -u
}
