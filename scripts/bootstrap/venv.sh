#!/bin/sh
# Part of bootstrap.sh, which sources it: Python, and .venv made from requirements.lock.

STAMP=.venv/.bootstrap

# Prints the first suitable interpreter; of a venv's python the one behind it, as that venv may be about to go.
find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        "$name" -I -c 'import sys, venv, ensurepip
sys.version_info >= (3, 10) or sys.exit(1)
print(getattr(sys, "_base_executable", sys.executable))' 2>/dev/null && return 0
    done
    return 1
}

has_python() {
    venv_is_current || find_python >/dev/null
}

# One line: hash of the lock, then what the venv depends on: the interpreter and the place (scripts name it).
venv_mark() {
    .venv/bin/python -I -c 'import hashlib, sys
lock = hashlib.sha256(open("requirements.lock", "rb").read()).hexdigest()
print(lock, sys.version.split()[0], sys.base_prefix, sys.prefix)' 2>/dev/null
}

stamp() {
    [ ! -f "$STAMP" ] || head -n 1 "$STAMP"
}

venv_is_current() {
    mark=$(venv_mark) && [ "$mark" = "$(stamp)" ]
}

# Fit to be brought up to date in place: ours with another lock, or somebody's own (no stamp) at this very place.
# Half-made, of another interpreter, or moved here from elsewhere: no.
venv_is_reusable() {
    mark=$(venv_mark) || return 1
    if [ -f "$STAMP" ]; then
        was=$(stamp)
        [ "${was#* }" = "${mark#* }" ]
    else
        .venv/bin/python -I -c 'import os, sys, pip
sys.exit(sys.version_info < (3, 10) or not os.path.samefile(sys.prefix, ".venv") or sys.prefix == sys.base_prefix)' 2>/dev/null
    fi
}

make_venv() {
    reused=yes
    venv_is_reusable || reused=no
    if [ "$reused" = no ]; then
        python=$(find_python) || fail 5 'no Python 3.10 or newer with venv on PATH, and the packages here bring none' \
            'install one (https://www.python.org/downloads/) as python3.12, say, and run this again'
        say "making .venv from requirements.lock with $python"
        discard_venv
        mkdir .venv
        echo half-made >"$STAMP"
        "$python" -m venv .venv >&2 || fail 6 ".venv could not be made with $python"
    else
        say 'bringing .venv up to date with requirements.lock'
        echo half-made >"$STAMP"
    fi
    install_locked || {
        show_end_of "$LOG"
        # Nothing of it was half-made by pip's refusal: the next run may go on from it.
        [ "$reused" = no ] || rm -f "$STAMP"
        fail 6 'pip could not install what requirements.lock names' \
            "a mirror or a CA of your own goes into pip.conf or PIP_INDEX_URL, PIP_CERT; then run this again"
    }
    # Last, and whole: a run killed before this line leaves half-made behind.
    venv_mark >"$STAMP.new"
    mv "$STAMP.new" "$STAMP"
}

install_locked() {
    .venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check --require-hashes \
        -r requirements.lock >>"$LOG" 2>&1
}

# Renamed first: killed while removing, the rest cannot pass for a venv.
discard_venv() {
    rm -rf "$STATE/venv.gone"
    [ ! -e .venv ] || mv .venv "$STATE/venv.gone"
    rm -rf "$STATE/venv.gone"
}
