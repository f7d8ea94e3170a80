"""What only the archive shows: `tar` never puts it on the disk as it stands there, or never comes so far."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from offline.bundle.verify import inspect
from tests.bundles import Bundle, Item, member, small_bundle, tar_of

if TYPE_CHECKING:
    from collections.abc import Callable

ARCHIVE = "bundle.tar.gz"


def bad_lines(tar: bytes) -> set[str]:
    return bad_lines_of_gzip(gzip.compress(tar, 1))


def bad_lines_of_gzip(data: bytes) -> set[str]:
    report = inspect(io.BytesIO(data), ARCHIVE)
    return {line.removeprefix("bad\t") for line in report.lines() if line.startswith("bad\t")}


def with_entries(*more: tuple[str, Item]) -> bytes:
    return tar_of([*small_bundle().members(), *((member(name, item), item.data) for name, item in more)])


TOP = Bundle().top
FILE = Item(data=b"x")


@pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("name", ["data/" + "长" * 30, "a/" * 60 + "b" * 90])
def test_long_names_are_read_in_every_form_that_tars_write(tar_format: int, name: str) -> None:
    bundle = small_bundle()
    bundle[name] = b"long"
    bundle.seal()
    assert bad_lines(bundle.tar(tar_format=tar_format)) == set()


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("../evil", "unsafe\t../evil"),
        ("/etc/evil", "unsafe\t/etc/evil"),
        ("evil", "unsafe\tevil"),
        ("other/SHA256SUMS", "unsafe\tother"),
        (f"./{TOP}/README2", f"unsafe\t./{TOP}/README2"),
        (f"{TOP}/../evil", "unsafe\t../evil"),
        (f"{TOP}//evil", "unsafe\t/evil"),
        (f"{TOP}/data/./evil", "unsafe\tdata/./evil"),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str, line: str) -> None:
    assert line in bad_lines(with_entries((name, FILE)))


def test_a_second_entry_of_one_name_is_refused_whatever_it_holds() -> None:
    whole = small_bundle()
    again = Item(data=whole["README.txt"])
    assert bad_lines(with_entries((f"{TOP}/README.txt", again), (f"{TOP}/mysql/data", Item(kind="folder")))) == {
        "duplicate\tREADME.txt",
        "duplicate\tmysql/data",
    }


def test_a_file_under_a_name_that_is_a_file_is_refused() -> None:
    assert "duplicate\tREADME.txt" in bad_lines(with_entries((f"{TOP}/README.txt/below", FILE)))


@pytest.mark.parametrize("kind", ["hardlink", "device", "symlink", "fifo"])
def test_anything_but_files_and_folders_is_refused(kind: str) -> None:
    item = Item(kind=kind, target=f"{TOP}/README.txt")  # type: ignore[arg-type]
    assert bad_lines(with_entries((f"{TOP}/link", item))) == {"notfile\tlink"}


def test_a_sparse_file_is_refused() -> None:
    info = member(f"{TOP}/sparse", FILE)
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "x"}
    assert bad_lines(tar_of([*small_bundle().members(), (info, b"x")])) == {"notfile\tsparse"}


def test_a_file_whose_name_ends_like_a_folder_is_refused() -> None:
    assert bad_lines(with_entries((f"{TOP}/odd/", FILE))) == {"unsafe\todd/"}


def test_an_archive_without_sums_is_not_a_bundle() -> None:
    assert bad_lines(tar_of([(member("a/b", FILE), b"x")])) == {"missing\tSHA256SUMS"}
    assert bad_lines(tar_of([])) == {"missing\tSHA256SUMS"}


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "not gzip": lambda _: b"PK\x03\x04" * 1000,
    "UTF-16 as PowerShell writes it": lambda data: data.decode("latin-1").encode("utf-16"),
    "gzip of no tar": lambda _: gzip.compress(b"text" * 1000),
    "gzip of less than a header": lambda _: gzip.compress(b"text"),
    "cut in the gzip header": lambda data: data[:5],
    "cut in the middle": lambda data: data[: len(data) // 2],
    "cut in the trailer": lambda data: data[:-3],
    "with something behind it": lambda data: data + b"something",
    "with a second archive behind it": lambda data: data + data,
    "without the end mark": lambda data: gzip.compress(_first_zeros(gzip.decompress(data), 0)),
    "with one block of zeros": lambda data: gzip.compress(_first_zeros(gzip.decompress(data), 1)),
    "with its sizes hidden": lambda data: gzip.compress(_damaged_header(gzip.decompress(data))),
}


def _first_zeros(tar: bytes, blocks: int) -> bytes:
    end = len(tar.rstrip(b"\0"))
    return tar[: end + -end % 512 + 512 * blocks]


def _damaged_header(tar: bytes) -> bytes:
    return tar[:124] + b"77777777777\0" + tar[136:]


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_a_damaged_archive_is_malformed(damage: str) -> None:
    lines = bad_lines_of_gzip(DAMAGES[damage](gzip.compress(small_bundle().tar())))
    assert f"malformed\t{ARCHIVE}" in lines
    assert not any(line.startswith(("missing", "incomplete")) for line in lines)


@pytest.mark.parametrize("share", [step / 16 for step in range(16)])
def test_an_archive_cut_anywhere_is_malformed(share: float) -> None:
    data = gzip.compress(small_bundle().tar())
    assert f"malformed\t{ARCHIVE}" in bad_lines_of_gzip(data[: int(len(data) * share)])


def test_a_flipped_bit_in_stored_data_names_the_file_too() -> None:
    bundle = small_bundle()
    bundle["README.txt"] = b"unmistakable"
    data = bytearray(gzip.compress(bundle.seal().tar(), 0))
    data[data.index(b"unmistakable")] ^= 1
    assert bad_lines_of_gzip(bytes(data)) == {f"malformed\t{ARCHIVE}", "changed\tREADME.txt"}


def test_an_extension_header_of_gigabytes_is_not_read() -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 10**10
    assert bad_lines(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)) == {f"malformed\t{ARCHIVE}"}


def test_tables_of_gigabytes_are_not_read() -> None:
    info = tarfile.TarInfo(f"{TOP}/SHA256SUMS")
    info.size = 10**10
    assert bad_lines(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)) == {f"malformed\t{ARCHIVE}"}


def test_a_global_header_is_not_passed_over() -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XGLTYPE, 0
    assert bad_lines(info.tobuf(tarfile.GNU_FORMAT) + small_bundle().tar()) == {f"malformed\t{ARCHIVE}"}


@pytest.mark.parametrize(
    "record", [b"9999 path=a\n", b"x path=a\n", b"8 path=a\n", b"12 path\n", b"11 path=ab\n\n\n\n"]
)
def test_a_pax_record_that_does_not_add_up_is_not_guessed_at(record: bytes) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, len(record)
    tar = info.tobuf(tarfile.GNU_FORMAT) + record.ljust(512, b"\0") + small_bundle().tar()
    assert bad_lines(tar) == {f"malformed\t{ARCHIVE}"}


def test_members_of_gzip_one_after_another_are_one_archive() -> None:
    tar = small_bundle().tar()
    pieces = [tar[start : start + 1000] for start in range(0, len(tar), 1000)]
    assert bad_lines_of_gzip(b"".join(gzip.compress(piece) for piece in pieces)) == set()
