"""One table of what can be wrong with a bundle, and the lines that both verifiers must print for it.

Only what an unpacked folder can show: what `tar` never puts on the disk is in tests/unit/bundle/test_verify_archive.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from offline.bundle import layout
from offline.store import archive
from tests.bundles import Bundle, Item, small_bundle

Change = Callable[[Bundle], set[str]]


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """A named change to a small bundle; `change` returns the expected lines without their leading `bad`."""

    name: str
    change: Change

    def apply(self) -> tuple[Bundle, set[str]]:
        """Give the changed bundle and the lines that must be printed; none where it is still whole."""
        bundle = small_bundle()
        return bundle, {f"bad\t{line}" for line in self.change(bundle)}


MUTATIONS: list[Mutation] = []


def _mutation(change: Change) -> Change:
    MUTATIONS.append(Mutation(name=change.__name__.removeprefix("_").replace("_", " "), change=change))
    return change


def _bad(reason: str, *paths: str) -> set[str]:
    return {f"{reason}\t{path}" for path in paths}


def _facts(bundle: Bundle) -> list[list[str]]:
    return [line.split("\t") for line in bundle[layout.FACTS].decode().splitlines()]


def _set_facts(bundle: Bundle, rows: list[list[str]]) -> None:
    bundle[layout.FACTS] = "".join("\t".join(row) + "\n" for row in rows)
    bundle.seal()


def _layer(bundle: Bundle, role: str = "server", number: int = 1) -> str:
    (digest,) = (row[4] for row in _facts(bundle) if row[:3] == ["layer", role, str(number)])
    return layout.blob(digest)


def _image(bundle: Bundle, role: str = "server") -> list[str]:
    (row,) = (row for row in _facts(bundle) if row[:2] == ["image", role])
    return row


def _edit_json(bundle: Bundle, path: str, edit: Callable[[Any], None]) -> None:
    value = json.loads(bundle[path])
    edit(value)
    bundle[path] = json.dumps(value)
    bundle.seal()


def _edit_sums(bundle: Bundle, edit: Callable[[bytes], bytes]) -> None:
    bundle[layout.SUMS] = edit(bundle[layout.SUMS])


# --- still whole


@_mutation
def _nothing(_: Bundle) -> set[str]:
    return set()


@_mutation
def _sums_in_another_order(bundle: Bundle) -> set[str]:
    _edit_sums(bundle, lambda text: b"".join(reversed(text.splitlines(keepends=True))))
    return set()


@_mutation
def _index_and_manifest_with_white_space_and_other_key_order(bundle: Bundle) -> set[str]:
    for path in (layout.INDEX, layout.IMAGE_MANIFEST):
        bundle[path] = json.dumps(json.loads(bundle[path]), indent=2, sort_keys=True)
    bundle.seal()
    return set()


@_mutation
def _layer_left_out_and_said_so(bundle: Bundle) -> set[str]:
    blob = _layer(bundle)
    del bundle.items[blob]
    bundle[layout.OMITTED] = f"blob\tsha256:{blob.rpartition('/')[2]}\trelease 20261101-000000\n"
    bundle.seal()
    return set()


# --- files


@_mutation
def _one_bit_of_a_layer_flipped(bundle: Bundle) -> set[str]:
    blob = _layer(bundle)
    data = bytearray(bundle[blob])
    data[len(data) // 2] ^= 1
    bundle[blob] = bytes(data)
    return _bad("changed", blob)


@_mutation
def _files_with_odd_names_emptied(bundle: Bundle) -> set[str]:
    names = (
        "data/ leading and trailing space ",
        "data/唤醒词 配置.yaml",
        "--help",
        "data/a: OK",
        "data/$(touch owned).sh",
        "data/@",
    )
    for name in names:
        bundle[name] = b""
    return _bad("changed", *names)


@_mutation
def _a_byte_appended_to_a_file(bundle: Bundle) -> set[str]:
    bundle[layout.COMPOSE] = bundle[layout.COMPOSE] + b"\n"
    return _bad("changed", layout.COMPOSE)


@_mutation
def _facts_changed_after_sealing(bundle: Bundle) -> set[str]:
    bundle[layout.FACTS] = b"format\t99\n"
    return _bad("changed", layout.FACTS)


@_mutation
def _line_ends_of_a_script_converted(bundle: Bundle) -> set[str]:
    bundle["scripts/extra.sh"] = b"#!/bin/sh\ntrue\n"
    bundle.seal()
    bundle["scripts/extra.sh"] = b"#!/bin/sh\r\ntrue\r\n"
    return _bad("changed", "scripts/extra.sh")


@_mutation
def _files_missing(bundle: Bundle) -> set[str]:
    names = (_layer(bundle), layout.RELEASE, "data/唤醒词 配置.yaml", "data/-rf", layout.INDEX)
    for name in names:
        del bundle.items[name]
    return _bad("missing", *names)


@_mutation
def _a_whole_folder_missing(bundle: Bundle) -> set[str]:
    names = [name for name in bundle.items if name.startswith("data/")]
    for name in names:
        del bundle.items[name]
    return _bad("missing", *names)


@_mutation
def _a_folder_in_place_of_a_file(bundle: Bundle) -> set[str]:
    bundle.items[layout.COMPOSE] = Item(kind="folder")
    return _bad("missing", layout.COMPOSE)


@_mutation
def _extra_files(bundle: Bundle) -> set[str]:
    names = (
        "extra.txt",
        ".hidden",
        "data/更多.txt",
        "mysql/data/ibdata1",
        "images/blobs/sha256/" + "0" * 64,
        "-n",
        "a b",
    )
    for name in names:
        bundle[name] = b"extra"
    return _bad("extra", *names)


@_mutation
def _extra_file_in_a_folder_of_its_own(bundle: Bundle) -> set[str]:
    bundle["a/b/c/SHA256SUMS"] = b"extra"
    return _bad("extra", "a/b/c/SHA256SUMS")


@_mutation
def _unsafe_names_in_the_folder(bundle: Bundle) -> set[str]:
    for name in ("a\nb", "a\tb", "a\x1bb", "a\\b", "data/\x7f", "not utf-8 \udcff é", "dir\r/file"):
        bundle[name] = b"extra"
    shown = (
        "a\\x0ab",
        "a\\x09b",
        "a\\x1bb",
        "a\\x5cb",
        "data/\\x7f",
        "not utf-8 \\xff \\xc3\\xa9",
        "dir\\x0d",
        "dir\\x0d/file",
    )
    return _bad("unsafe", *shown)


@_mutation
def _unsafe_names_that_are_listed_too(bundle: Bundle) -> set[str]:
    bundle["a\\b"] = b"listed"
    bundle["-"] = b"listed"
    bundle["not utf-8 \udcc0\udcaf"] = b"listed"
    bundle.seal()
    return _bad("unsafe", "-", "a\\x5cb", "not utf-8 \\xc0\\xaf")


@_mutation
def _links_and_a_fifo(bundle: Bundle) -> set[str]:
    bundle.items["link"] = Item(kind="symlink", target="README.txt")
    bundle.items["dangling"] = Item(kind="symlink", target="nowhere")
    bundle.items["to a folder"] = Item(kind="symlink", target="data")
    bundle.items["data/pipe"] = Item(kind="fifo")
    return _bad("notfile", "link", "dangling", "to a folder", "data/pipe")


@_mutation
def _a_link_in_place_of_a_listed_file(bundle: Bundle) -> set[str]:
    bundle["copy.txt"] = bundle[layout.README]
    bundle.seal()
    bundle.items["copy.txt"] = Item(kind="symlink", target="README.txt")
    return _bad("notfile", "copy.txt")


@_mutation
def _everything_at_once(bundle: Bundle) -> set[str]:
    bundle[layout.README] = b"changed"
    del bundle.items[layout.GUIDE_ZH]
    bundle["extra"] = b""
    bundle.items["link"] = Item(kind="symlink", target="/etc/passwd")
    return (
        _bad("changed", layout.README)
        | _bad("missing", layout.GUIDE_ZH)
        | _bad("extra", "extra")
        | _bad("notfile", "link")
    )


# --- SHA256SUMS


@_mutation
def _no_sums(bundle: Bundle) -> set[str]:
    del bundle.items[layout.SUMS]
    return _bad("missing", layout.SUMS)


@_mutation
def _sums_are_a_link(bundle: Bundle) -> set[str]:
    bundle.items[layout.SUMS] = Item(kind="symlink", target="README.txt")
    return _bad("missing", layout.SUMS)


@_mutation
def _a_line_of_the_sums_lost(bundle: Bundle) -> set[str]:
    _edit_sums(bundle, lambda text: b"".join(line for line in text.splitlines(keepends=True) if b"README" not in line))
    return _bad("extra", layout.README)


@_mutation
def _a_line_of_the_sums_twice(bundle: Bundle) -> set[str]:
    _edit_sums(bundle, lambda text: text + b"".join(line for line in text.splitlines(True) if b"README" in line))  # noqa: FBT003
    return _bad("duplicate", layout.README)


@_mutation
def _a_line_of_the_sums_three_times(bundle: Bundle) -> set[str]:
    _edit_sums(bundle, lambda text: 3 * text)
    return _bad(
        "duplicate", *(path for path, item in bundle.items.items() if item.kind == "file" and path != layout.SUMS)
    )


@_mutation
def _a_path_listed_twice_with_two_digests(bundle: Bundle) -> set[str]:
    _edit_sums(bundle, lambda text: b"0" * 64 + b"  README.txt\n" + text)
    return _bad("duplicate", layout.README) | _bad("changed", layout.README)


@_mutation
def _unsafe_names_in_the_sums(bundle: Bundle) -> set[str]:
    names = ("/etc/passwd", "../evil", "a/../evil", "./README.txt", "a//b", "data/", "a\\b", "..", ".", " /..", "-")
    _edit_sums(bundle, lambda text: text + b"".join(b"0" * 64 + f"  {name}\n".encode() for name in names))
    return _bad("unsafe", *(name.replace("\\", "\\x5c") for name in names))


@_mutation
def _a_listed_file_that_never_was(bundle: Bundle) -> set[str]:
    _edit_sums(bundle, lambda text: text + b"0" * 64 + b"  never/was\n")
    return _bad("missing", "never/was")


@_mutation
def _sums_that_list_themselves(bundle: Bundle) -> set[str]:
    _edit_sums(bundle, lambda text: text + b"0" * 64 + b"  SHA256SUMS\n")
    return _bad("changed", layout.SUMS)


def _malformed_sums(name: str, edit: Callable[[bytes], bytes]) -> None:
    def change(bundle: Bundle) -> set[str]:
        _edit_sums(bundle, edit)
        return _bad("malformed", layout.SUMS)

    MUTATIONS.append(Mutation(name=f"sums {name}", change=change))


_malformed_sums("empty", lambda _: b"")
_malformed_sums("cut in the last line", lambda text: text[:-5])
_malformed_sums("ending with a zero byte", lambda text: text[:-1] + b"\0")
_malformed_sums("with Windows line ends", lambda text: text.replace(b"\n", b"\r\n"))
_malformed_sums("with upper-case digits", lambda text: text.replace(b"a", b"A", 1))
_malformed_sums("with a short digest", lambda text: text[1:])
_malformed_sums("with one space", lambda text: text.replace(b"  ", b" ", 1))
_malformed_sums("in binary form", lambda text: text.replace(b"  ", b" *", 1))
_malformed_sums("with an empty line", lambda text: text + b"\n")
_malformed_sums("with a zero byte in a name", lambda text: text.replace(b"README", b"READ\0ME"))
_malformed_sums("with an escaped line of sha256sum", lambda text: b"\\" + text)
_malformed_sums("without a name", lambda text: text + b"0" * 64 + b"  \n")
_malformed_sums("with a comment", lambda text: b"# comment\n" + text)
_malformed_sums("that are no text", lambda _: bytes(range(256)) + b"\n")


# --- images


@_mutation
def _a_blob_that_is_not_what_its_name_says(bundle: Bundle) -> set[str]:
    blob = _layer(bundle)
    bundle[blob] = b"another layer"
    bundle.seal()
    return _bad("blob", blob)


@_mutation
def _a_blob_that_is_neither_as_named_nor_as_listed(bundle: Bundle) -> set[str]:
    blob = _layer(bundle)
    bundle[blob] = b"another layer"
    bundle.seal()
    bundle[blob] = b"a third one"
    return _bad("blob", blob) | _bad("changed", blob)


@_mutation
def _a_blob_whose_name_is_no_digest(bundle: Bundle) -> set[str]:
    bundle[f"{layout.BLOBS}/layer.tar"] = b"x"
    digest = hashlib.sha256(b"y").hexdigest()
    bundle[f"{layout.BLOBS}/a/{digest}"] = b"y"
    bundle.seal()
    return _bad("blob", f"{layout.BLOBS}/layer.tar", f"{layout.BLOBS}/a/{digest}")


@_mutation
def _blobs_of_an_image_not_packed(bundle: Bundle) -> set[str]:
    image = _image(bundle)
    blobs = (_layer(bundle), layout.blob(image[4]), layout.blob(image[5]))
    for blob in blobs:
        del bundle.items[blob]
    bundle.seal()
    return _bad("incomplete", *blobs)


@_mutation
def _a_blob_left_out_but_another_one_named(bundle: Bundle) -> set[str]:
    blob = _layer(bundle)
    del bundle.items[blob]
    bundle[layout.OMITTED] = f"blob\tsha256:{'0' * 64}\t-\nfile\t{blob}\t-\t{'0' * 64}\n"
    bundle.seal()
    return _bad("incomplete", blob)


@_mutation
def _omitted_table_changed_after_sealing(bundle: Bundle) -> set[str]:
    blob = _layer(bundle)
    del bundle.items[blob]
    bundle[layout.OMITTED] = f"file\tdata/x\t-\t{'0' * 64}\n"
    bundle.seal()
    bundle[layout.OMITTED] = f"blob\tsha256:{blob.rpartition('/')[2]}\t-\n"
    return _bad("changed", layout.OMITTED) | _bad("incomplete", blob)


@_mutation
def _required_files_not_packed(bundle: Bundle) -> set[str]:
    for path in layout.REQUIRED:
        del bundle.items[path]
    bundle.seal()
    return _bad("incomplete", *layout.REQUIRED)


def _index(name: str, edit: Callable[[Any], None]) -> None:
    def change(bundle: Bundle) -> set[str]:
        _edit_json(bundle, layout.INDEX, edit)
        return _bad("incomplete", layout.INDEX)

    MUTATIONS.append(Mutation(name=f"index {name}", change=change))


def _swap_index_names(index: Any) -> None:
    one, two = index["manifests"]
    one["annotations"], two["annotations"] = two["annotations"], one["annotations"]


_index("without an image", lambda index: index["manifests"].pop())
_index("without any image", lambda index: index["manifests"].clear())
_index("with one image more", lambda i: i["manifests"].append({**i["manifests"][0], "digest": f"sha256:{'0' * 64}"}))
_index("with another digest", lambda index: index["manifests"][0].update(digest=f"sha256:{'0' * 64}"))
_index(
    "with another tag", lambda i: i["manifests"][0]["annotations"].update({archive.INDEX_NAME: "docker.io/mini/x:1"})
)
_index("without a name", lambda index: index["manifests"][0].pop("annotations"))
_index("with an unnamed image more", lambda i: i["manifests"].append({"digest": i["manifests"][0]["digest"]}))
_index("with two names exchanged", _swap_index_names)


def _manifest(name: str, edit: Callable[[Any], None]) -> None:
    def change(bundle: Bundle) -> set[str]:
        _edit_json(bundle, layout.IMAGE_MANIFEST, edit)
        return _bad("incomplete", layout.IMAGE_MANIFEST)

    MUTATIONS.append(Mutation(name=f"image manifest {name}", change=change))


_manifest("without an image", lambda manifest: manifest.pop())
_manifest("with one image more", lambda m: m.append({**m[0], "RepoTags": ["mini/other:0123456789ab"]}))
_manifest("with one tag more", lambda manifest: manifest[0]["RepoTags"].append("mini/server:latest"))
_manifest("without a tag", lambda manifest: manifest[0].update(RepoTags=[]))
_manifest("with half an image more", lambda manifest: manifest.append({"Config": manifest[0]["Config"]}))
_manifest("with another config", lambda manifest: manifest[0].update(Config=manifest[1]["Config"]))
_manifest("with layers in another order", lambda manifest: manifest[0]["Layers"].reverse())
_manifest("without a layer", lambda manifest: manifest[0]["Layers"].pop())
_manifest("without its layers", lambda manifest: manifest[0].pop("Layers"))


@_mutation
def _index_and_manifest_that_are_no_json(bundle: Bundle) -> set[str]:
    bundle[layout.INDEX] = bundle[layout.INDEX][:100]
    bundle[layout.IMAGE_MANIFEST] = b"\xff\xfe"
    bundle.seal()
    return _bad("incomplete", layout.INDEX, layout.IMAGE_MANIFEST)


# --- tables


def _malformed_facts(name: str, edit: Callable[[list[list[str]]], list[list[str]]]) -> None:
    def change(bundle: Bundle) -> set[str]:
        _set_facts(bundle, edit(_facts(bundle)))
        return _bad("malformed", layout.FACTS)

    MUTATIONS.append(Mutation(name=f"facts {name}", change=change))


def _with_field(kind: str, field: int, value: str) -> Callable[[list[list[str]]], list[list[str]]]:
    return lambda rows: [[*row[:field], value, *row[field + 1 :]] if row[0] == kind else row for row in rows]


_malformed_facts("of a newer format", _with_field("format", 1, str(layout.FORMAT + 1)))
_malformed_facts("without a format", lambda rows: [row for row in rows if row[0] != "format"])
_malformed_facts("with two formats", lambda rows: [rows[0], *rows])
_malformed_facts("whose format is no number", _with_field("format", 1, "one"))
_malformed_facts("whose format is 0", _with_field("format", 1, "0"))
_malformed_facts("without images", lambda rows: [row for row in rows if row[0] not in ("image", "layer")])
_malformed_facts("without layers", lambda rows: [row for row in rows if row[0] != "layer"])
_malformed_facts("with a layer of no image", lambda rows: [*rows, ["layer", "ghost", "0", rows[6][3], rows[6][4], "1"]])
_malformed_facts("with a layer number skipped", _with_field("layer", 2, "1"))
_malformed_facts("with an image twice", lambda rows: [*rows, *[row for row in rows if row[0] == "image"]])
_malformed_facts("with a short digest", _with_field("image", 4, "sha256:0123"))
_malformed_facts("with a digest of another kind", _with_field("layer", 4, f"sha512:{'0' * 64}"))
_malformed_facts("with a diff_id in capitals", _with_field("layer", 3, f"sha256:{'A' * 64}"))
_malformed_facts("with fields missing", lambda rows: [row[:4] if row[0] == "image" else row for row in rows])
_malformed_facts("that are empty", lambda _: [])


def _malformed_omitted(name: str, text: str) -> None:
    def change(bundle: Bundle) -> set[str]:
        bundle[layout.OMITTED] = text
        bundle.seal()
        return _bad("malformed", layout.OMITTED)

    MUTATIONS.append(Mutation(name=f"omitted table {name}", change=change))


_malformed_omitted("with an unknown kind", "image\tsha256:00\t-\n")
_malformed_omitted("with a field missing", f"blob\tsha256:{'0' * 64}\n")
_malformed_omitted("with a blob that has no digest", "blob\tbase.tar\t20261101-000000\n")
_malformed_omitted("with an empty line", f"file\ta\t-\t{'0' * 64}\n\n")
_malformed_omitted("with a file whose sha256 lacks", "file\tmodels/a\tpayload/a\n")
_malformed_omitted("with a file whose sha256 is none", f"file\tmodels/a\tpayload/a\t{'g' * 64}\n")
_malformed_omitted("with a file that leads elsewhere", f"file\t../a\tpayload/a\t{'0' * 64}\n")
_malformed_omitted("with a file that comes from elsewhere", f"file\tmodels/a\t/etc/shadow\t{'0' * 64}\n")
_malformed_omitted("with a file that comes from above the root", f"file\tmodels/a\tpayload/../../a\t{'0' * 64}\n")
_malformed_omitted("with a file that is listed", f"file\t{layout.README}\t-\t{'0' * 64}\n")


@_mutation
def _omitted_files(bundle: Bundle) -> set[str]:
    bundle[layout.OMITTED] = f"file\tmodels/a b\tpayload/web-0/模型\t{'0' * 64}\nfile\tengine/x\t-\t{'1' * 64}\n"
    bundle.seal()
    return set()
