from __future__ import annotations

import pytest

from offline.images import tail
from offline.images.tail import NotApartError


def test_a_dockerfile_on_a_base_is_all_tail() -> None:
    found = tail.read('FROM base:1\n# code\nWORKDIR /app\nCOPY app .\nCMD ["python", "app.py"]\n', {})
    assert found == tail.Tail(
        below="FROM base:1\n", base="base:1", instructions=("WORKDIR /app", "COPY app .", 'CMD ["python", "app.py"]')
    )


def test_below_the_tail_is_everything_up_to_the_last_instruction_that_works() -> None:
    text = "ARG V=1\nFROM base:$V\nENV A=1\nRUN install \\\n  b\nEXPOSE 8000\nCOPY app .\n"
    found = tail.read(text, {})
    assert found.below == "ARG V=1\nFROM base:$V\nENV A=1\nRUN install \\\n  b\n"
    assert (found.base, found.instructions) == ("", ("EXPOSE 8000", "COPY app ."))


def test_the_base_is_the_one_that_the_build_arguments_name() -> None:
    assert tail.read("ARG V=1\nFROM base:$V\nCOPY app .\n", {"V": "2"}).base == "base:2"


@pytest.mark.parametrize("stage", ["FROM builder", "FROM other:2"])
def test_with_other_stages_what_is_below_is_built(stage: str) -> None:
    found = tail.read(f"FROM base:1 AS builder\nRUN make\n{stage}\nCOPY app .\n", {})
    assert (found.base, found.below) == ("", f"FROM base:1 AS builder\nRUN make\n{stage}\n")


@pytest.mark.parametrize(
    "copy",
    [
        "COPY app .",
        "copy app lib /opt/x/",
        "COPY --chown=1000:1000 --chmod=0640 app .",
        'COPY ["a file", "/opt/a place/"]',
        "COPY a \\\n     b /opt/",
        "COPY *.py 中文.txt /opt/",
    ],
)
def test_what_is_copied_as_it_is_written_belongs_to_the_tail(copy: str) -> None:
    assert tail.read(f"FROM base:1\n{copy}\n", {}).instructions == (copy,)


@pytest.mark.parametrize(
    ("working", "word"),
    [
        ("RUN chmod +x /start.sh", "RUN"),
        ("ADD app.tar /opt", "ADD"),
        ("COPY --from=builder /a /b", "COPY"),
        ("COPY --chown=app:app app .", "COPY"),
        ("COPY --chown=1000 app .", "COPY"),
        ("COPY --link app .", "COPY"),
        ("COPY app ${HOME}", "COPY"),
        ('COPY ["app", "$HOME"]', "COPY"),
        ("COPY a\\ b .", "COPY"),
        ("COPY 'a b' .", "COPY"),
        ("COPY <<EOF /etc/x\ntext\nEOF", "COPY"),
        ("COPY a \\\n# why\n b /opt/", "COPY"),
        ("WORKDIR $HOME", "WORKDIR"),
        ("NEWS of a later Dockerfile", "NEWS"),
    ],
)
def test_after_anything_else_nothing_is_copied_apart(working: str, word: str) -> None:
    with pytest.raises(NotApartError, match=f"copies nothing after its last {word}"):
        tail.read(f"FROM base:1\nCOPY app .\n{working}\nCMD x\n", {})


@pytest.mark.parametrize("text", ["", "CMD x\n", "FROM base:1\nCMD x\n", "FROM base:1\n"])
def test_a_dockerfile_that_copies_nothing_has_no_tail(text: str) -> None:
    with pytest.raises(NotApartError, match="copies nothing"):
        tail.read(text, {})


def test_another_escape_character_is_left_to_the_engine() -> None:
    with pytest.raises(NotApartError, match="escape"):
        tail.read("# escape=`\nFROM base:1\nCOPY a `\n b /x/\n", {})


def test_the_files_alone_are_copied_where_the_image_below_works() -> None:
    found = tail.read("FROM base:1\nENV A=1\nCOPY app .\nWORKDIR sub\nCOPY b c\nUSER me\nCMD x\n", {})
    assert tail.alone(found, "/opt/app") == "FROM scratch\nWORKDIR /opt/app\nCOPY app .\nWORKDIR sub\nCOPY b c\n"
    assert tail.alone(found, "") == tail.alone(found, "/") == "FROM scratch\nCOPY app .\nWORKDIR sub\nCOPY b c\n"


def test_a_folder_to_work_in_that_no_dockerfile_can_spell_is_left_to_the_engine() -> None:
    with pytest.raises(NotApartError, match="works in"):
        tail.alone(tail.read("FROM base:1\nCOPY app .\n", {}), "/opt/$x")


def test_places_are_where_the_copying_goes_and_all_above() -> None:
    instructions = ("COPY a .", "WORKDIR sub/", "COPY b /var/lib/x/", "COPY c ../d", 'COPY ["e", "f g"]')
    assert tail.places(instructions, "/opt/app") == {
        *("opt", "opt/app", "opt/app/sub", "opt/app/d", "opt/app/sub/f g"),
        *("var", "var/lib", "var/lib/x"),
    }
    assert tail.places(("COPY a /",), "") == frozenset()
