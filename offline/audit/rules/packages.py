"""What Python packages a build installs, from command lines and requirements files, and the rules about them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline.audit.calls import positional, split_verb
from offline.audit.languages import PIP_INSTALL
from offline.audit.listed import listed
from offline.audit.rules.catalogue import found

if TYPE_CHECKING:
    from offline.audit.build import BuildAudit, Ran
    from offline.audit.model import Finding
    from offline.audit.sources import Sources

# Packages of hundreds of megabytes: twice is a gigabyte.
_HEAVY = listed(
    "torch torchvision torchaudio tensorflow tensorflow-cpu jax jaxlib paddlepaddle onnxruntime onnxruntime-gpu mxnet "
    "transformers vllm xformers triton funasr sherpa-onnx vosk opencv-python opencv-python-headless scipy pandas "
    "pyspark modelscope nvidia-cudnn-cu12 ffmpeg texlive-full default-jdk openjdk-17-jdk chromium libreoffice"
)
_TORCH = listed("torch torchvision torchaudio")
_NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(\[[^\]]*\])?\s*(.*)$")
_ANOTHER = re.compile(r"(?:^|\s)[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[^\]]*\])?\s*(?:==|>=|<=|~=|!=|>|<)")
_LOCAL_VERSION = re.compile(r"==\s*[\w.]+\+(cpu|cu\d+|rocm[\d.]*)\b")
_GPU = re.compile(r"cuda|nvidia|rocm|gpu|pytorch|tensorflow|vllm|triton", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One requirement: its name in normal form, the text, and where it stands."""

    name: str
    text: str
    path: str
    line: int


def heavy_packages(build: BuildAudit, *, system: bool = True) -> list[tuple[str, int]]:
    """(name, line in the Dockerfile) of the heavy packages that a build installs, those of the system too."""
    heavy = [
        (requirement.name, ran.instruction.line if ran.path != build.build.file.path else ran.command.line)
        for ran in _installing(build)
        for requirement in requirements(build, ran)
        if requirement.name in _HEAVY
    ]
    for ran in build.ran if system else []:
        if {"pkg_apt", "pkg_apk", "pkg_dnf"}.intersection(ran.kinds):
            heavy += [(word, ran.command.line) for word in ran.command.values if word in _HEAVY]
    return sorted(heavy, key=lambda pair: pair[1])


def requirements(build: BuildAudit, ran: Ran) -> Iterator[Requirement]:
    """What one pip command installs: its words, and the lines of the files it names with -r."""
    _, rest = split_verb(ran.command.values[1:])
    for word in positional(rest, PIP_INSTALL):
        if (name := _named(word)) is not None:
            yield Requirement(name=name, text=word, path=ran.path, line=ran.command.line)
    for path, text in build.requirements.get((ran.path, ran.command.line), ()):
        yield from requirements_of(text, path)


def requirements_of(text: str, path: str) -> Iterator[Requirement]:
    """The requirements of a requirements file (pip, "Requirements File Format")."""
    for number, line in enumerate(text.split("\n"), start=1):
        plain = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
        if plain and not plain.startswith("-") and (name := _named(plain)) is not None:
            yield Requirement(name=name, text=plain, path=path, line=number)


def _named(text: str) -> str | None:
    match = _NAME.match(text)
    if match is None or "/" in match[1] or text.startswith(".") or "$" in text:
        return None
    return re.sub(r"[-_.]+", "-", match[1]).lower()


def _installing(build: BuildAudit) -> list[Ran]:
    return [ran for ran in build.ran if {"pkg_pip", "pkg_uv"}.intersection(ran.kinds)]


def check(sources: Sources) -> Iterator[Finding]:
    """Lines with several requirements, local versions without their index, CUDA where the processor is meant."""
    seen: set[tuple[str, int]] = set()
    for build in sources.builds.values():
        for ran in _installing(build):
            indexed = _indexed(build, ran)
            for requirement in requirements(build, ran):
                place = (requirement.path, requirement.line)
                finding = (
                    _several(requirement) or _local(requirement, indexed=indexed) or _cuda(requirement, build, ran)
                )
                if finding is not None and place not in seen:
                    seen.add(place)
                    yield finding


def _indexed(build: BuildAudit, ran: Ran) -> bool:
    """Whether an index for local versions is named: on the command, in a variable, or in the requirements file."""
    named = " ".join(ran.command.values) + " ".join(item.value for item in build.items if item.type == "index_url")
    files = " ".join(text for _, text in build.requirements.get((ran.path, ran.command.line), ()))
    return "download.pytorch.org" in named + files or "--find-links" in named or "/cpu" in named or " -f " in named


def _several(requirement: Requirement) -> Finding | None:
    specs = _ANOTHER.findall(requirement.text.split(";")[0])
    if len(specs) < 2 or "," in requirement.text.split(specs[1].strip())[0][-2:]:  # noqa: PLR2004
        return None
    return found(
        "requirements-line",
        requirement.path,
        requirement.line,
        f"{len(specs)} requirements on one line; pip refuses the file: {requirement.text[:80]}",
        "one requirement a line; local versions such as +cpu need --index-url https://download.pytorch.org/whl/cpu",
        value=requirement.text,
    )


def _local(requirement: Requirement, *, indexed: bool) -> Finding | None:
    match = _LOCAL_VERSION.search(requirement.text)
    if match is None or indexed:
        return None
    return found(
        "local-version",
        requirement.path,
        requirement.line,
        f"{requirement.text}: PyPI has no +{match[1]} versions, and no index that has them is named",
        f"install it first, alone, with --index-url https://download.pytorch.org/whl/{match[1]}",
        value=requirement.text,
    )


def _cuda(requirement: Requirement, build: BuildAudit, ran: Ran) -> Finding | None:
    plain = requirement.name == "torch" and "+" not in requirement.text
    meant = any(_GPU.search(stage.base) for stage in ran.stage.lineage)
    earlier = any(
        other.command.line < ran.command.line and "/cpu" in other.command.text and "torch" in other.command.text
        for other in build.ran
    )
    if not plain or meant or earlier or _indexed(build, ran):
        return None
    return found(
        "cuda-torch",
        requirement.path,
        requirement.line,
        f"{requirement.text} from PyPI brings CUDA, gigabytes that a machine without a GPU never uses",
        "install torch first from https://download.pytorch.org/whl/cpu, then the rest",
        value=requirement.text,
    )
