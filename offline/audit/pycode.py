"""Python given to `python -c` or as a here-document: the calls in it that fetch models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from offline.audit.listed import listed

if TYPE_CHECKING:
    import ast

# Calls by the last parts of their dotted name. Sources: the libraries' own documentation.
_FETCHING = listed(
    """
    from_pretrained snapshot_download hf_hub_download cached_path nltk.download spacy.cli.download cli.download
    tiktoken.get_encoding tiktoken.encoding_for_model get_encoding encoding_for_model hub.load
    hub.download_url_to_file load_state_dict_from_url whisper.load_model WhisperModel SentenceTransformer
    CrossEncoder TextEmbedding easyocr.Reader PaddleOCR load_dataset stanza.download AutoModel api.load
    downloader.load faster_whisper.download_model modelscope.snapshot_download GLiNER.from_pretrained pipeline
    """
)
_CALL = re.compile(r"([A-Za-z_][\w.]*)\s*\(")


def model_downloads(code: str) -> Iterator[tuple[str, int]]:
    """(call as written, line) of what fetches a model. Code that Python cannot parse is read call by call."""
    if "(" not in code:
        return
    import ast

    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        calls = ((match[1], code.count("\n", 0, match.start()) + 1) for match in _CALL.finditer(code))
        yield from (call for call in calls if _fetches(call[0]))
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not _local(node) and _fetches(name := _dotted(node.func)):
            yield name, node.lineno


def _fetches(name: str) -> bool:
    parts = name.split(".")
    return parts[-1] in _FETCHING or ".".join(parts[-2:]) in _FETCHING


def _dotted(node: ast.expr) -> str:
    import ast

    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _local(call: ast.Call) -> bool:
    """Told to stay at home, or given a path."""
    import ast

    stays = any(
        keyword.arg == "local_files_only" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        for keyword in call.keywords
    )
    first = call.args[0] if call.args else None
    path = isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value.startswith(("/", "./"))
    return stays or path
