"""Commands that run another command: the inner one is what counts, whoever starts it.

`unwrapped` gives the innermost words; `script_of` the text that an interpreter (`sh -c`, `eval`, `bash <<EOF`) runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from offline.audit.listed import listed
from offline.audit.located import joined

if TYPE_CHECKING:
    from offline.audit.located import Located
    from offline.audit.shell import Command, Word

SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "busybox-sh"})
_ASSIGNMENT = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*=")
_CAT_HEREDOC = re.compile(rb"^\s*\$\(\s*cat\s*<<-?\s*[\"'\\]?(\w+)[\"']?[ \t]*\n")
_ONE_VARIABLE = re.compile(rb"^\s*\$\{?\w+\}?\s*$")
_DEEPEST = 12


@dataclass(frozen=True, kw_only=True)
class _Wrapper:
    """Options that take a value, positional words before the inner command, and the subcommand that wraps."""

    valued: frozenset[str] = field(default_factory=frozenset)
    positional: int = 0
    verbs: tuple[tuple[str, ...], ...] = ()
    nothing: frozenset[str] = field(default_factory=frozenset)


def _wrapper(valued: str = "", positional: int = 0, verbs: tuple[str, ...] = (), nothing: str = "") -> _Wrapper:
    return _Wrapper(
        valued=listed(valued),
        positional=positional,
        verbs=tuple(tuple(verb.split()) for verb in verbs),
        nothing=listed(nothing),
    )


_PLAIN = _wrapper()
_WRAPPERS: dict[str, _Wrapper] = {
    "sudo": _wrapper("-u -g -p -C -h -r -t -T -D -R -U --user --group --prompt --chdir --host"),
    "doas": _wrapper("-u -C"),
    "env": _wrapper("-u -C --unset --chdir"),
    "nice": _wrapper("-n --adjustment"),
    "ionice": _wrapper("-c -n -p --class --classdata"),
    "chrt": _wrapper("", 1),
    "taskset": _wrapper("", 1),
    "timeout": _wrapper("-s -k --signal --kill-after", 1),
    "gtimeout": _wrapper("-s -k", 1),
    "xargs": _wrapper("-a -d -E -I -L -n -P -s --max-args --max-procs --max-lines --delimiter --arg-file --replace"),
    "exec": _wrapper("-a"),
    "time": _wrapper("-f -o --format --output"),
    "command": _wrapper(nothing="-v -V"),
    "builtin": _PLAIN,
    "nohup": _PLAIN,
    "setsid": _PLAIN,
    "stdbuf": _wrapper("-i -o -e --input --output --error"),
    "unbuffer": _PLAIN,
    "eatmydata": _PLAIN,
    "fakeroot": _PLAIN,
    "faketime": _wrapper("", 1),
    "gosu": _wrapper("", 1),
    "su-exec": _wrapper("", 1),
    "chroot": _wrapper("", 1),
    "s6-setuidgid": _wrapper("", 1),
    "setuidgid": _wrapper("", 1),
    "chpst": _wrapper("-u -U -b -n -e -/"),
    "with-contenv": _PLAIN,
    "setpriv": _wrapper("--reuid --regid --groups"),
    "setarch": _wrapper("", 1),
    "linux32": _PLAIN,
    "linux64": _PLAIN,
    "flock": _wrapper("-w -E --timeout", 1),
    "tini": _wrapper("-p -e"),
    "dumb-init": _PLAIN,
    "catatonit": _PLAIN,
    "strace": _wrapper("-e -o -f -p"),
    "proxychains": _wrapper("-f"),
    "proxychains4": _wrapper("-f"),
    "torsocks": _PLAIN,
    "xvfb-run": _wrapper("-n -s -e -f -p -w --server-args"),
    "dbus-run-session": _PLAIN,
    "cross-env": _PLAIN,
    "dotenv": _wrapper("-e -f", 0),
    "retry": _wrapper("-t -d -n -m", 0),
    "busybox": _PLAIN,
    "poetry": _wrapper("-C -P --directory --project", verbs=("run",)),
    "pipenv": _wrapper(verbs=("run",)),
    "pdm": _wrapper("-p", verbs=("run",)),
    "rye": _wrapper(verbs=("run",)),
    "hatch": _wrapper("-e", verbs=("run",)),
    "conda": _wrapper("-n -p --name --prefix --cwd", verbs=("run",)),
    "mamba": _wrapper("-n -p --name --prefix --cwd", verbs=("run",)),
    "micromamba": _wrapper("-n -p -r --name --prefix --root-prefix", verbs=("run",)),
    "pixi": _wrapper("-e --environment --manifest-path", verbs=("run",)),
    "bundle": _wrapper(verbs=("exec",)),
    "pnpm": _wrapper("-C --dir --filter -F", verbs=("exec",)),
    "volta": _wrapper("--node --npm --yarn", verbs=("run",)),
    "mise": _wrapper("-C --cd", verbs=("exec", "x")),
    "asdf": _wrapper(verbs=("exec",)),
    "rbenv": _wrapper(verbs=("exec",)),
    "pyenv": _wrapper(verbs=("exec",)),
    "nvm": _wrapper(verbs=("exec",)),
    "rustup": _wrapper("--toolchain", 1, verbs=("run",)),
    "scl": _wrapper("", 1, verbs=("enable",)),
    "opam": _wrapper("", verbs=("exec",)),
    "nix-shell": _wrapper("-p -I --packages"),
}


def name_of(word: str) -> str:
    """The program that a command word names: its last path part."""
    return word.rsplit("/", 1)[-1]


def unwrapped(command: Command) -> Command:
    """The command that `command` ends up running; itself, where it wraps none. Empty words: it runs nothing."""
    for _ in range(_DEEPEST):
        inner = _inner(command.words)
        if inner is None:
            return command
        line = inner[0].line if inner else command.line
        command = replace(command, words=inner, line=line)
    return command


def _inner(words: tuple[Word, ...]) -> tuple[Word, ...] | None:
    if not words:
        return None
    name = name_of(words[0].value)
    if name == "find":
        return _find_exec(words)
    wrapper = _WRAPPERS.get(name)
    if wrapper is None:
        return None
    position = 1
    if wrapper.verbs:
        verb = _past_options(words, 1, wrapper.valued)
        if verb >= len(words) or (words[verb].value,) not in wrapper.verbs:
            return None
        position = verb + 1
    if any(word.value in wrapper.nothing for word in words[position : position + 1]):
        return ()
    position = _past_options(words, position, wrapper.valued, assignments=True)
    position = _past_options(words, position + wrapper.positional, frozenset(), assignments=True)
    if name == "retry":
        while position < len(words) and words[position].value.isdigit():
            position += 1
    # What xargs adds to the command comes from its input, and is some word all the same.
    added = (replace(words[0], value="${ARGS}"),) if name == "xargs" else ()
    return (*words[position:], *added)


def _past_options(words: tuple[Word, ...], position: int, valued: frozenset[str], *, assignments: bool = False) -> int:
    """The first word that is no option, value of an option, or (with `assignments`) NAME=value."""
    while position < len(words):
        value = words[position].value
        if value == "--":
            return position + 1
        if value in valued:
            position += 2
        elif value.startswith(("-", "+")) or (assignments and _ASSIGNMENT.match(value)):
            position += 1
        else:
            return position
    return position


def _find_exec(words: tuple[Word, ...]) -> tuple[Word, ...] | None:
    for index, word in enumerate(words):
        if word.value in {"-exec", "-execdir", "-ok"}:
            return words[index + 1 :]
    return None


def script_of(command: Command) -> Located | None:
    """The shell text that this command runs: `sh -c text`, `su -c text`, `eval text`, `bash <<EOF`; None if none."""
    if not command.words:
        return None
    script = _script_word(command)
    return None if script is None else _printed_heredoc(script) or script


def _script_word(command: Command) -> Located | None:
    name = name_of(command.words[0].value)
    if name in SHELLS:
        return _shell_script(command)
    if name in {"su", "runuser"} and command.stdin is not None:
        return command.stdin
    if name in {"su", "runuser", "script", "scl", "flock", "nix-shell"}:
        return _after_option(command, {"-c", "--command", "--session-command", "--run"})
    if name == "eval":
        return _text_of(command.words[1], command) if len(command.words) > 1 else None
    if name == "trap" and len(command.words) > 2:  # noqa: PLR2004 - trap, action, signal
        return command.words[1].inside
    return None


def _printed_heredoc(text: Located) -> Located | None:
    """The here-document of `"$(cat <<EOF … EOF)"`, which is the script itself."""
    start = _CAT_HEREDOC.match(text.data)
    if start is None:
        return None
    end = re.search(rb"\n\s*" + re.escape(start[1]) + rb"\s*\)\s*$", text.data)
    return text.cut(start.end(), end.start() + 1) if end else None


def _text_of(word: Word, command: Command) -> Located:
    """The text of a script word; where it is one variable, that variable's value."""
    if _ONE_VARIABLE.match(word.inside.data) and "$" not in word.value[:1]:
        return joined([(word.value, command.line)], word.inside.path)
    return word.inside


def script_file(command: Command) -> str | None:
    """The file that this command runs as a script: `sh file`, `. file`, `./file`, `/path/file`; None if none."""
    if not command.words:
        return None
    first = command.words[0].value
    name = name_of(first)
    if name in SHELLS:
        if any(_is_c(word.value) for word in command.words[1:]):
            return None
        position = _past_options(command.words, 1, frozenset({"-o", "-O", "+o", "--rcfile", "--init-file"}))
        return command.words[position].value if position < len(command.words) else None
    if name in {".", "source"}:
        return command.words[1].value if len(command.words) > 1 else None
    return first


def python_script(command: Command) -> str | None:
    """The file that a Python runs: `python file.py`, or a file of that name by itself; None if none."""
    first, *rest = command.values
    if name_of(first).startswith(("python", "pypy")):
        first = next((word for word in rest if not word.startswith("-")), "") if "-m" not in rest else ""
    return first if first.endswith(".py") else None


def _shell_script(command: Command) -> Located | None:
    words = command.words
    for index in range(1, len(words)):
        value = words[index].value
        if _is_c(value):
            return next(
                (_text_of(word, command) for word in words[index + 1 :] if not word.value.startswith("-")), None
            )
        if not value.startswith(("-", "+")) and words[index - 1].value not in {"-o", "-O", "+o"}:
            return None
    return command.stdin or _printed(command)


def _printed(command: Command) -> Located | None:
    """The script that `cat <<EOF` or `echo` sends through a pipe into a shell."""
    earlier = command.before[-1] if command.before else None
    if earlier is None or not earlier.words:
        return None
    name, *rest = earlier.words
    if name.value == "cat":
        return earlier.stdin
    if name.value in {"echo", "printf"}:
        return next((word.inside for word in rest if not word.value.startswith("-")), None)
    return None


def _is_c(value: str) -> bool:
    """`-c`, and bundled with other letters as in `-lc` or `-exc`."""
    return len(value) > 1 and value[0] == "-" and value[1] != "-" and value.endswith("c") and value[1:].isalpha()


def _after_option(command: Command, options: set[str]) -> Located | None:
    for index, word in enumerate(command.words[:-1]):
        if word.value in options:
            return _text_of(command.words[index + 1], command)
    return None
