#!/bin/sh
# Install a requirements file: torch and its family first, from a CPU index where there is one, then the rest.
# A line that holds several packages is taken apart; a local version (+cpu) is kept only when the CPU index serves it.
set -eu

requirements=$1
plain=/dev/shm/requirements.txt
torch=/dev/shm/torch.txt

# One requirement a line. Lines with a marker, an option or a URL are taken as they are.
sed -E -e 's/\r$//' -e 's/^\xef\xbb\xbf//' -e 's/(^|[[:space:]])#.*$//' -e 's/[[:space:]]*(,|[=<>~!]=|[<>])[[:space:]]*/\1/g' \
    "$requirements" | awk '/;/ || /^[[:space:]]*-/ || / @ / { print; next } { for (i = 1; i <= NF; i++) print $i }' >"$plain"
if [ -z "${OFFLINE_TORCH_INDEX:-}" ]; then
    sed -i 's/+cpu$//' "$plain"
fi

grep -Ei '^torch(audio|vision)?([=<>~! ]|$)' "$plain" >"$torch" || [ $? -eq 1 ]
if [ -s "$torch" ] && [ -n "${OFFLINE_TORCH_INDEX:-}" ]; then
    pip install --no-cache-dir --index-url "$OFFLINE_TORCH_INDEX" -r "$torch"
elif [ -s "$torch" ]; then
    pip install --no-cache-dir -r "$torch"
fi
pip install --no-cache-dir -r "$plain"
