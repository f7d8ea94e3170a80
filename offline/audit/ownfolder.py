"""How a script names the folder it stands in: `$(dirname "$0")` and its kin, which `. "$HERE/lib.sh"` needs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

_SELF = r"\$(?:0|\{0\}|BASH_SOURCE|\{BASH_SOURCE(?:\[0\])?(?::-\$\{?0\}?)?\})"
_REAL = rf"(?:\$\(\s*(?:readlink\s+-[fe]|realpath)\s+\"?{_SELF}\"?\s*\)|{_SELF})"
_CUT = r"\$\{(?:0|BASH_SOURCE(?:\[0\])?)%%?/\*\}"
_FOLDER = rf"(?:\$\(\s*dirname\s+(?:--\s+)?\"?{_REAL}\"?\s*\)|`\s*dirname\s+\"?{_REAL}\"?\s*`|{_CUT})"
_ENTERED = re.compile(
    rf"\$\(\s*(?:CDPATH=\S*\s+)?cd\s+(?:-P\s+|--\s+)*\"?{_FOLDER}((?:/[\w.-]+)*)/?\"?\s*"
    r"(?:&?>\s*/dev/null\s*(?:2>&1\s*)?)?(?:&&|;)\s*pwd(?:\s+-P)?\s*\)"
)
_RESOLVED = re.compile(rf"\$\(\s*(?:readlink\s+-[fe]|realpath)\s+\"?{_FOLDER}((?:/[\w.-]+)*)/?\"?\s*\)")
_PLAIN = re.compile(_FOLDER + "()")
_HERE = re.compile(r"\$\(\s*pwd(?:\s+-P)?\s*\)|`\s*pwd\s*`")


def own_folder(text: str, known: Mapping[str, str]) -> str:
    """`text` with the folder of the script put in; `known["0"]` is the script's path, where there is a script.

    The folder that a script is *in* at that moment stays `${PWD}`: only who follows the script knows it.
    """
    if "$(" not in text and "`" not in text and "%/*}" not in text:
        return text
    text = _HERE.sub("${PWD}", text)
    own = known.get("BASH_SOURCE" if "BASH_SOURCE" in text else "0")
    if own is None:
        return text
    folder = posixpath.dirname(own)
    for pattern in (_ENTERED, _RESOLVED, _PLAIN):
        text = pattern.sub(lambda match: posixpath.normpath(f"{folder}/{match[1]}"), text)
    return text
