# The library of the scripts that change a host, loaded into a test; $BATS_TEST_TMPDIR holds a bundle and a root.

load_library() {
    LIB=$BATS_TEST_DIRNAME/../../scripts/host/lib
    unset LC_ALL LC_MESSAGES LANG
    # shellcheck source=scripts/host/lib/all.sh
    source "$LIB/all.sh"
    use_language en
    BUNDLE=$BATS_TEST_TMPDIR/bundle
    ROOT=$BATS_TEST_TMPDIR/root
    FACTS=$BUNDLE/scripts/facts.tsv
    STACK=mini MODE=all FIREWALL=yes ADOPT='' BACKUP_WANTED=yes ACTION=deploy LOG=/dev/null
    mkdir -p "$BUNDLE/scripts" "$ROOT"
    ME=$(id -u):$(id -g)
    : >"$FACTS"
}

# stub PROGRAM: from now on a script that stdin holds; what it was called with stands in $BATS_TEST_TMPDIR/calls.
stub() {
    mkdir -p "$BATS_TEST_TMPDIR/bin"
    {
        printf '#!/bin/bash\nprintf "%%s %%s\\n" "%s" "$*" >>"%s/calls"\n' "$1" "$BATS_TEST_TMPDIR"
        cat
    } >"$BATS_TEST_TMPDIR/bin/$1"
    chmod +x "$BATS_TEST_TMPDIR/bin/$1"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# strict COMMAND...: in a shell that ends at the first failure, as a step does; without the trap that bats runs before
# each command, which doubles the time.
strict() {
    (
        set +T
        trap - DEBUG
        set -Eeuo pipefail
        "$@"
    )
}
