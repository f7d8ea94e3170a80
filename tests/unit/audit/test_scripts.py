"""Scripts that a build copies in and runs are read where they stand in the context."""

from __future__ import annotations

from pathlib import Path

import pytest

from offline.audit.project import audit

SCRIPT = "#!/bin/bash\nset -eux\ncurl -fsSL https://example.com/x -o /x\n"

DOCKERFILES = {
    "copied file, run by path": "FROM x:1\nCOPY tools/get.sh /usr/bin/get\nRUN /usr/bin/get\n",
    "copied folder, run by a shell": "FROM x:1\nCOPY tools /tools\nRUN bash -eux /tools/get.sh --all\n",
    "copied into the working folder": "FROM x:1\nWORKDIR /w\nCOPY tools/get.sh .\nRUN chmod +x get.sh && ./get.sh\n",
    "glob into a folder": "FROM x:1\nCOPY tools/*.sh /opt/\nRUN sh /opt/get.sh\n",
    "sourced": "FROM x:1\nCOPY . /src\nRUN . /src/tools/get.sh\n",
    "of an earlier stage": "FROM x:1 AS a\nCOPY tools /tools\nFROM a\nRUN /tools/get.sh\n",
    "copied between stages": "FROM x:1 AS a\nCOPY tools /tools\nFROM y:1\nCOPY --from=a /tools /t\nRUN /t/get.sh\n",
    "mounted": "FROM x:1\nRUN --mount=type=bind,source=tools,target=/mnt bash /mnt/get.sh\n",
    "sourced by a variable": "FROM x:1\nARG T=/opt\nENV D=$T/d\nCOPY tools $D\nRUN . ${D}/get.sh && true\n",
    "by a variable of its RUN": 'FROM x:1\nCOPY tools /t\nRUN D=/t; source "$D"/get.sh\n',
    "mounted from a stage": "FROM x:1 AS a\nCOPY tools/get.sh /m/get.sh\nFROM y:1\n"
    "RUN --mount=from=a,source=/m,target=/mnt bash /mnt/get.sh\n",
    "moved to another place": "FROM x:1\nCOPY tools/get.sh /tmp/\nRUN mv /tmp/get.sh /usr/bin/g\nRUN g --all\n",
    "by a variable": "FROM x:1\nENV HOME=/h\nCOPY tools/get.sh $HOME/\nRUN ${HOME}/get.sh\n",
}


@pytest.mark.parametrize("case", DOCKERFILES)
def test_a_download_in_a_followed_script_stands_under_the_script(case: str, tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "get.sh").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "Dockerfile").write_text(DOCKERFILES[case], encoding="utf-8")
    found = [(item.path, item.line, item.value) for item in audit([tmp_path]).inventory if item.type == "net_curl"]
    assert found == [("tools/get.sh", 3, "https://example.com/x")]


def test_a_script_written_by_the_dockerfile_itself_stands_there(tmp_path: Path) -> None:
    text = 'FROM x:1\nCOPY <<"EOF" /get.sh\nset -e\nwget https://example.com/x\nEOF\nRUN sh /get.sh\n'
    (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
    found = [(item.path, item.line) for item in audit([tmp_path]).inventory if item.type == "net_wget"]
    assert found == [("Dockerfile", 4)]


def test_a_script_that_runs_what_it_is_given_runs_it(tmp_path: Path) -> None:
    (tmp_path / "with-env").write_text('#!/bin/sh\n. /env\nexec "$@"\n', encoding="utf-8")
    text = "FROM x:1\nCOPY with-env /usr/local/bin/\nRUN with-env pip install x\nRUN with-env python -V\n"
    (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
    found = [(item.path, item.line) for item in audit([tmp_path]).inventory if item.type == "pkg_pip"]
    assert found == [("Dockerfile", 3)]


OWN_FOLDER = [
    '. "$(dirname "$0")/lib/get.sh"',
    ". $(dirname ${BASH_SOURCE[0]})/lib/get.sh",
    'HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"; source "$HERE/lib/get.sh"',
    'HERE=$(cd -- "$(dirname -- "$0")" >/dev/null 2>&1; pwd -P); bash ${HERE}/lib/get.sh',
    "ROOT=$(dirname $(readlink -f $0)); . $ROOT/lib/get.sh",
    'ROOT=$(realpath "$(dirname "$0")/..") && . "$ROOT/tools/lib/get.sh"',
    "D=`dirname $0`; . $D/lib/get.sh",
    '. "${0%/*}/lib/get.sh"',
    'cd "$(dirname "$0")" && D=$(pwd); . "$D/lib/get.sh"',
]


@pytest.mark.parametrize("line", OWN_FOLDER)
def test_a_script_that_names_its_own_folder_is_understood(line: str, tmp_path: Path) -> None:
    (tmp_path / "tools" / "lib").mkdir(parents=True)
    (tmp_path / "tools" / "lib" / "get.sh").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "tools" / "run.sh").write_text(f"#!/bin/bash\n{line}\n", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text("FROM x:1\nCOPY tools /t/tools\nRUN /t/tools/run.sh\n", encoding="utf-8")
    assert [item.path for item in audit([tmp_path]).inventory if item.type == "net_curl"] == ["tools/lib/get.sh"]


def test_a_function_is_no_program_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "lib.sh").write_text("install_packages() {\n  dnf install -y git\n}\n", encoding="utf-8")
    (tmp_path / "run.sh").write_text("#!/bin/sh\n. /s/lib.sh\ninstall_packages\n", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text("FROM x:1\nCOPY . /s\nRUN sh /s/run.sh\n", encoding="utf-8")
    found = [(item.path, item.line, item.type) for item in audit([tmp_path]).inventory]
    assert found == [("Dockerfile", 1, "from_image"), ("lib.sh", 2, "pkg_dnf")]


def test_scripts_that_run_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "a.sh").write_text("sh /s/b.sh\n", encoding="utf-8")
    (tmp_path / "b.sh").write_text("sh /s/a.sh\ncurl https://example.com/x\n", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text("FROM x:1\nCOPY . /s\nRUN sh /s/a.sh\n", encoding="utf-8")
    assert [item.path for item in audit([tmp_path]).inventory if item.type == "net_curl"] == ["b.sh"]


def test_a_dockerfile_in_a_folder_of_its_own_is_read_with_the_context_above(tmp_path: Path) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "get.sh").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "docker" / "Dockerfile").write_text(DOCKERFILES["copied file, run by path"], encoding="utf-8")
    assert "tools/get.sh" in {item.path for item in audit([tmp_path]).inventory}


def test_a_python_script_that_fetches_models_is_read(tmp_path: Path) -> None:
    (tmp_path / "get.py").write_text("import nltk\n\nnltk.download('punkt')\n", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text("FROM x:1\nCOPY get.py /\nRUN python /get.py\n", encoding="utf-8")
    found = [(item.path, item.line) for item in audit([tmp_path]).inventory if item.type == "model_download"]
    assert found == [("get.py", 3)]


def test_modules_in_a_vendor_folder_are_not_fetched(tmp_path: Path) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "modules.txt").write_text("", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text("FROM x:1\nCOPY . /src\nRUN go build ./...\n", encoding="utf-8")
    assert [item.type for item in audit([tmp_path]).inventory] == ["from_image"]
