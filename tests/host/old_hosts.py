"""Refuse in the host scripts what CentOS 7 lacks, with its bash 4.2, coreutils 8.22, tar 1.26 and systemd 219.

Run as `python tests/host/old_hosts.py scripts/host`. It reads the scripts' syntax tree, so that comments and quoted
text do not count. Versions are from each tool's own NEWS; what the shell does was tried in bash 4.2.45.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from itertools import dropwhile
from pathlib import Path
from typing import NamedTuple

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

# Two things that the grammar does not know, and that every bash has: `3<>file`, and a base as in `$((16#$hex))`.
_ALWAYS_THERE = re.compile(r"(?<=[(\s=<>&|*/+-])\d+#(?=[\w$])")
_PARSER = Parser(Language(tree_sitter_bash.language()))


class Finding(NamedTuple):
    """What an old host lacks, on which line, and what to write instead."""

    line: int
    what: str
    instead: str


Arguments = list[str]


class CommandRule(NamedTuple):
    """One thing that a command cannot do there."""

    applies: Callable[[Arguments], bool]
    what: str
    instead: str


def _option(*names: str) -> Callable[[Arguments], bool]:
    """Give a test for options: `--long`, also as `--long=value`; `-x`, also in a cluster such as `-ax`."""
    long = {name for name in names if name.startswith("--")}
    letters = {name[1] for name in names if not name.startswith("--")}

    def applies(arguments: Arguments) -> bool:
        options = _options(arguments)
        return any(
            option.split("=", 1)[0] in long if option.startswith("--") else not letters.isdisjoint(option[1:])
            for option in options
        )

    return applies


def _options(arguments: Arguments) -> Arguments:
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return [argument for argument in before if re.match(r"--?[A-Za-z0-9]", argument)]


def _starts(prefix: str) -> Callable[[Arguments], bool]:
    return lambda arguments: any(argument.startswith(prefix) for argument in arguments)


def _both(first: str, option: str) -> Callable[[Arguments], bool]:
    return lambda arguments: first in arguments and option in arguments


def _time_without_argument(arguments: Arguments) -> bool:
    rest = arguments[2:] if arguments[:1] == ["-v"] else arguments
    rest = rest[1:] if rest[:1] == ["--"] else rest
    return len(rest) == 1 and re.search(r"%\([^)]*\)T", rest[0]) is not None


def _filter_with_arguments(arguments: Arguments) -> bool:
    """Say whether tar gets `-I 'prog args'`, in any of its forms."""
    for place, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--use-compress-program" or re.fullmatch(r"-[A-Za-z]*I", argument):
            value = value if equals else (arguments[place + 1] if place + 1 < len(arguments) else "")
            if " " in value.strip():
                return True
    return False


def _always(_: Arguments) -> bool:
    return True


_SUMS = ("md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum")
_ABSENT = {
    "jq": "grep, sed or awk on a table made for it",
    "python": "bash, or a table computed when packing",
    "python2": "bash, or a table computed when packing",
    "python3": "bash, or a table computed when packing",
    "perl": "sed or awk",
    "curl": "bash's own /dev/tcp",
    "wget": "bash's own /dev/tcp",
    "nc": "bash's own /dev/tcp",
    "ncat": "bash's own /dev/tcp",
    "rsync": "cp, tar or cat",
    "zstd": "gzip",
    "pigz": "gzip",
    "b2sum": "sha256sum",
    "basenc": "base64",
    "base32": "base64",
}

COMMANDS: dict[str, tuple[CommandRule, ...]] = {
    **{name: (CommandRule(_always, f"{name} is not on every host", instead),) for name, instead in _ABSENT.items()},
    **{
        name: (CommandRule(_option("--ignore-missing"), f"{name} --ignore-missing is of coreutils 8.25", "a list"),)
        for name in _SUMS
    },
    "mapfile": (CommandRule(_option("-d"), "mapfile -d is of bash 4.4", "while IFS= read -r -d ''"),),
    "readarray": (CommandRule(_option("-d"), "readarray -d is of bash 4.4", "while IFS= read -r -d ''"),),
    "wait": (CommandRule(_option("-n", "-p", "-f"), "wait -n is of bash 4.3", 'wait "$pid" for each'),),
    "shopt": (
        CommandRule(
            lambda a: not {"inherit_errexit", "localvar_inherit", "assoc_expand_once"}.isdisjoint(a),
            "this shell option is newer than bash 4.2",
            "check each command substitution's own code",
        ),
    ),
    "printf": (CommandRule(_time_without_argument, "without an argument %(…)T is 1970 in bash 4.2", "pass -1"),),
    "sync": (
        CommandRule(
            lambda a: any(argument not in ("--help", "--version") for argument in a),
            "sync takes no file before coreutils 8.24 and syncs everything",
            "dd conv=notrunc,fsync",
        ),
    ),
    "dd": (CommandRule(_starts("status=progress"), "dd status=progress is of coreutils 8.24", "say.sh, progress"),),
    "env": (
        CommandRule(_option("-S", "--split-string"), "env -S is of coreutils 8.30", "bash's own words"),
        CommandRule(_option("-C", "--chdir"), "env -C is of coreutils 8.28", "cd in a subshell"),
    ),
    "tee": (CommandRule(_option("-p", "--output-error"), "tee -p is of coreutils 8.24", "tee"),),
    "head": (CommandRule(_option("-z", "--zero-terminated"), "head -z is of coreutils 8.25", "read -d ''"),),
    "tail": (CommandRule(_option("-z", "--zero-terminated"), "tail -z is of coreutils 8.25", "read -d ''"),),
    "cut": (CommandRule(_option("-z", "--zero-terminated"), "cut -z is of coreutils 8.25", "read -d ''"),),
    "tar": (
        CommandRule(_option("--zstd"), "tar --zstd is of tar 1.31", "gzip"),
        CommandRule(_option("--sort"), "tar --sort is of tar 1.28", "a sorted list with -T"),
        CommandRule(_option("--one-top-level"), "tar --one-top-level is of tar 1.28", "mkdir and -C"),
        CommandRule(
            _option("--xattrs", "--acls", "--selinux"), "tar --xattrs, --acls and --selinux are of tar 1.27", "nothing"
        ),
        CommandRule(_filter_with_arguments, "tar -I takes no arguments before tar 1.27", "a pipe"),
    ),
    "systemctl": (
        CommandRule(_both("enable", "--now"), "systemctl enable --now is of systemd 220", "enable, then start"),
        CommandRule(_both("disable", "--now"), "systemctl disable --now is of systemd 220", "stop, then disable"),
    ),
    "systemd-run": (
        CommandRule(_option("--wait"), "systemd-run --wait is of systemd 232", "poll systemctl show"),
        CommandRule(_option("--pipe", "-P"), "systemd-run --pipe is of systemd 235", "a log file"),
    ),
    "grep": (CommandRule(_option("-P", "--perl-regexp"), "grep -P is a build option", "grep -E, or awk"),),
    "flock": (CommandRule(_option("--verbose"), "flock --verbose is of util-linux 2.27", "a message of ours"),),
}


class FormRule(NamedTuple):
    """A form of words that bash 4.2 has not, or takes otherwise."""

    form: re.Pattern[str]
    what: str
    instead: str


_FORMS = {
    "unset_command": FormRule(
        re.compile(r"unset\s.*\w\[\s*-\d"), "a negative subscript cannot be unset in bash 4.2", "${#a[@]} - 1"
    ),
    "variable_assignment": FormRule(
        re.compile(r"\w+\[\s*-\d"), "a negative subscript cannot be assigned in bash 4.2", "${#a[@]} - 1"
    ),
    "unary_expression": FormRule(
        re.compile(r"-v\s+[\"']?\w+\["), "[[ -v m[k] ]] is always false in bash 4.2", "[[ -n ${m[$k]+x} ]]"
    ),
}
_NEW_VARIABLES = {
    "EPOCHSECONDS": "printf '%(%s)T' -1",
    "EPOCHREALTIME": "date +%s.%N",
    "SRANDOM": "/dev/urandom",
}
_NEVER_EMPTY = {"BASH_SOURCE", "BASH_LINENO", "FUNCNAME", "PIPESTATUS"}
_WRAPPERS = {"exec", "command", "builtin", "sudo", "nohup", "setsid", "nice", "time", "env", "timeout", "xargs"}


def findings(text: str) -> list[Finding]:
    """Everything in a script that an old host lacks, by line. What the parser cannot read is a finding too."""
    known = _ALWAYS_THERE.sub("", text.replace("<>", "< "))
    root = _PARSER.parse(known.encode()).root_node
    never_empty = _NEVER_EMPTY | _filled_arrays(root)
    found = []
    for node in _walk(root):
        if node.type == "ERROR" or node.is_missing:
            found.append(Finding(_line(node), "this cannot be read as bash", "write it more plainly"))
        found += [Finding(_line(node), *problem) for problem in _problems(node, never_empty)]
    return sorted(set(found))


def _problems(node: Node, never_empty: set[str]) -> Iterator[tuple[str, str]]:
    if node.type == "command":
        yield from _in_command(_words(node))
    elif node.type == "declaration_command":
        yield from _in_declaration(node)
    elif node.type == "expansion":
        yield from _in_expansion(node, never_empty)
    elif node.type == "variable_name" and _text(node) in _NEW_VARIABLES:
        yield f"{_text(node)} is of bash 5", _NEW_VARIABLES[_text(node)]
    elif node.type in _FORMS and _FORMS[node.type].form.match(_text(node)):
        yield _FORMS[node.type].what, _FORMS[node.type].instead


def _in_command(words: list[str]) -> Iterator[tuple[str, str]]:
    """Look at a command, and at the one that a wrapper such as `sudo` or `timeout 5` starts."""
    if not words:
        return
    name, arguments = words[0].rpartition("/")[2], words[1:]
    for rule in COMMANDS.get(name, ()):
        if rule.applies(arguments):
            yield rule.what, rule.instead
    if name in _WRAPPERS and not (name == "command" and arguments[:1] in (["-v"], ["-V"])):
        yield from _in_command(_wrapped(arguments))


def _wrapped(arguments: list[str]) -> list[str]:
    """Give the command that a wrapper starts: what comes after its options, numbers, times and assignments."""
    return list(dropwhile(lambda word: re.match(r"-|[0-9.]+[smhd]?$|\w+=", word), arguments))


def _in_declaration(node: Node) -> Iterator[tuple[str, str]]:
    words = _words(node)
    letters = "".join(word[1:] for word in words[1:] if re.fullmatch(r"-\w+", word))
    if "n" in letters:
        yield f"{words[0]} -n is of bash 4.3", "a global, or the value on stdout"
    if "I" in letters:
        yield f"{words[0]} -I is of bash 5.1", "a plain local"
    if "-" in words[1:]:
        yield "local - is of bash 4.4", "set, and set it back"
    if "g" in letters and "A" in letters and any(child.type == "array" for child in _walk(node)):
        yield "bash 4.2 loses what `declare -gA m=(…)` sets inside a function", "declare -gA m, then m=(…)"


def _in_expansion(node: Node, never_empty: set[str]) -> Iterator[tuple[str, str]]:
    text = _text(node)
    if re.fullmatch(r"\$\{!?\w+(\[.*\])?@[A-Za-z]\}", text):
        yield "${v@Q} and its like are of bash 4.4", "printf %q"
    values = re.match(r"\$\{(\w+)\[[@*]\](?!:?[-+=?])", text)
    if values and values.group(1) not in never_empty and not _is_guarded(node, values.group(1)):
        yield "an empty array is an unset one under `set -u` in bash 4.2", '${a[@]+"${a[@]}"}'


def _is_guarded(node: Node, name: str) -> bool:
    """Say whether an expansion stands in `${name[@]+…}`."""
    above = node.parent
    while above is not None:
        if above.type == "expansion" and re.match(rf"\$\{{{name}\[[@*]\]:?\+", _text(above)):
            return True
        above = above.parent
    return False


def _filled_arrays(root: Node) -> set[str]:
    """Arrays that this text sets with at least one element, and never to none."""
    filled: set[str] = set()
    emptied: set[str] = set()
    for node in _walk(root):
        match = re.match(r"(\w+)=\(\s*(\))?", _text(node)) if node.type == "variable_assignment" else None
        if match:
            (emptied if match.group(2) else filled).add(match.group(1))
    return filled - emptied


def _words(node: Node) -> list[str]:
    words = [child for child in node.children if child.type not in ("file_redirect", "herestring_redirect", "comment")]
    return [_unquoted(word) for word in words if word.type != "variable_assignment" or node.type != "command"]


def _unquoted(node: Node) -> str:
    text = _text(node)
    return text[1:-1] if node.type in ("string", "raw_string") else text


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _text(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")


def _line(node: Node) -> int:
    return node.start_point[0] + 1


def main(folders: list[str]) -> int:
    """Print each finding of every `*.sh` below the folders; 1 if there is one, 2 if there is nothing to look at."""
    paths = sorted(path for folder in folders for path in Path(folder).rglob("*.sh"))
    if not paths:
        sys.stderr.write("usage: old_hosts.py FOLDER… (with *.sh in it)\n")
        return 2
    found = [(path, finding) for path in paths for finding in findings(path.read_text(encoding="utf-8"))]
    for path, finding in found:
        sys.stdout.write(f"{path}:{finding.line}: {finding.what}; instead: {finding.instead}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
