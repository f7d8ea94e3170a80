"""What `release.yml` can say. The annotated example of every key is `release.yml` at the root of the project."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from offline.config import checks

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""A name that Docker, Compose and every file system accept."""
BundlePath = Annotated[str, AfterValidator(checks.bundle_path)]
"""A path inside the bundle: relative, forward slashes, no `..`."""
ContainerPath = Annotated[str, Field(pattern=r"^/[^\s:]*$")]
Owner = Annotated[str, Field(pattern=r"^\d+:\d+$")]
Mode = Annotated[str, AfterValidator(checks.folder_mode)]
Seconds = Annotated[int, Field(gt=0, le=86_400)]
Size = Annotated[str, Field(pattern=r"^\d+[kmg]$")]
Port = Annotated[str, AfterValidator(checks.port)]
Version = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Url = Annotated[str, Field(pattern=r"^(https?|file)://\S+$")]
Origin = Literal["registry", "archive", "bootstrap", "build"]
Strategy = Literal["offline", "two-stage"]


class Part(BaseModel):
    """A part of the configuration: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Bootstrap(Part):
    """A base made with mmdebstrap from a Debian mirror, where no registry is reached."""

    suite: str
    packages: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    """Run inside the new root, in order, as mmdebstrap's customize hooks."""


class Base(Part):
    """An image that others build on, and where it may come from, in the order to try."""

    origins: tuple[Origin, ...] = Field(alias="from", min_length=1)
    registry: tuple[str, ...] = ()
    """References to pull, in order; none given: the base's own reference."""
    archive: str | None = None
    """A file written by `docker save`, relative to this file."""
    bootstrap: Bootstrap | None = None
    build: tuple[str, ...] = ()
    """Dockerfiles to build it from, the first that exists: `source:PATH` or `kit:PATH`."""

    @model_validator(mode="after")
    def _complete(self) -> Base:
        for origin in self.origins:
            if origin != "registry" and not getattr(self, origin):
                raise ValueError(f'"from" names "{origin}", but there is no key "{origin}" that says how')
        return self


class Build(Part):
    """How an image is built. Dockerfiles are `source:PATH` or `kit:PATH` (under docker/); the first that fits wins."""

    offline: tuple[str, ...] = ()
    two_stage: tuple[str, ...] = Field(default=(), alias="two-stage")
    source: str | None = None
    """The source's own Dockerfile, taken as it is with `dockerfile: source`."""
    leave_out: tuple[str, ...] = ()
    """Globs of the source that never enter the build context, besides its .dockerignore."""
    args: dict[str, str] = Field(default_factory=dict)
    """Build arguments; they stay in the image's history, so nothing secret belongs here."""


class Image(Part):
    """One image of the stack. Exactly one of build, bootstrap, pull and prebuilt says where it comes from."""

    tag: str | None = None
    """The familiar tag that people know the image by; given on the host as the last step."""
    strategy: Strategy | None = None
    dockerfile: Literal["auto", "source", "kit"] = "auto"
    build: Build | None = None
    bootstrap: str | None = None
    """A folder of docker/ built on a bootstrapped base: an image of a distribution's own packages."""
    pull: str | None = None
    prebuilt: str | None = None
    """An image the engine already has, or a file written by `docker save` (its name ends in .tar or .tar.gz)."""

    @property
    def kind(self) -> Literal["build", "bootstrap", "pull", "prebuilt"]:
        """Which of the four says where the image comes from."""
        if self.build:
            return "build"
        if self.bootstrap:
            return "bootstrap"
        return "pull" if self.pull else "prebuilt"

    @model_validator(mode="after")
    def _one_kind(self) -> Image:
        kinds = [kind for kind in ("build", "bootstrap", "pull", "prebuilt") if getattr(self, kind)]
        if len(kinds) != 1:
            given = ", ".join(kinds) or "none"
            raise ValueError(f"give exactly one of build, bootstrap, pull, prebuilt (given: {given})")
        return self


class Probe(Part):
    """How to ask a service, through a published port, whether it works. Bytes must come back."""

    port: Annotated[int, Field(ge=1, le=65_535)]
    type: Literal["http", "websocket", "greeting"]
    path: str = "/"
    status: int = 200
    contains: str = ""
    """Text that the answer must hold; for `greeting` what the server says first."""
    modes: tuple[Name, ...] = ()
    """Asked in these modes only; none: in every mode of the service."""


class HealthCheck(Part):
    """The container's own health check, as Compose writes it."""

    test: tuple[str, ...] = Field(min_length=2)
    interval: Seconds = 10
    timeout: Seconds = 5
    retries: Annotated[int, Field(ge=1)] = 6
    start_period: Seconds = 60


class Logs(Part):
    """Log rotation of a container (json-file)."""

    max_size: Size = "20m"
    max_file: Annotated[int, Field(ge=1)] = 5


class Service(Part):
    """One container of the stack; its name is also the container's name."""

    image: Name
    modes: tuple[Name, ...] = ("all",)
    ports: tuple[Port, ...] = ()
    environment: dict[str, str] = Field(default_factory=dict)
    command: tuple[str, ...] = ()
    depends_on: tuple[Name, ...] = ()
    security_opt: tuple[str, ...] = ()
    healthcheck: HealthCheck | None = None
    probes: tuple[Probe, ...] = ()
    version_probe: Probe | None = None
    memory: Size | None = None
    cpus: Annotated[float, Field(gt=0)] | None = None
    logs: Logs = Logs()
    stop_grace: Seconds = 10


class Payload(Part):
    """Files of a release that are mounted into a container, or a folder of the host's own."""

    bundle: BundlePath
    """Where they lie in the bundle; `shared/` or `payload/<service>-<hash>/` comes before it on the host."""
    files: tuple[str, ...] = ()
    """Globs in the source; a folder stands for all it holds. None: an empty folder."""
    service: Name
    target: ContainerPath
    single: bool = False
    """One file mounted alone: `bundle` and `target` are the file itself."""
    owner: Literal["release", "host"] = "release"
    optional: bool = False
    hot: bool = False
    read_only: bool = False
    user: Owner = "0:0"
    mode: Mode = "0755"
    holds_keys: bool = False
    """It may hold API keys; allowed, but listed and warned about in every release."""
    backup: Name | None = None
    """What a backup calls a folder of the host's own; none: `bundle` with dashes for slashes."""

    @property
    def backup_name(self) -> str:
        """What a backup calls it; empty for what a release brings."""
        return "" if self.owner == "release" else self.backup or self.bundle.replace("/", "-")


class Data(Part):
    """A data family: what made the files in a host folder, so that no other family ever opens them."""

    service: Name
    family: str
    series: str
    folder: BundlePath
    version: tuple[str, ...] = Field(min_length=1)
    """A command inside the image that prints the version; it must name the family and the series."""


class FirstRun(Part):
    """A value that the application makes on its first start, carried into a file that another service reads."""

    after: Name
    """The service that makes it; must be healthy first."""
    query_in: Name
    query: tuple[str, ...] = Field(min_length=1)
    """A command in that service's container that prints the value, and nothing while there is none."""
    file: BundlePath
    key: str
    also: dict[str, str] = Field(default_factory=dict)
    """Other keys of that file, set when they are missing."""
    before: Name
    """The service that needs it, started afterwards."""


class Mirrors(Part):
    """Package mirrors for builds. Nothing of them stays in an image of the kit's own Dockerfiles."""

    apt: Url | None = None
    """A Debian mirror; none: what each image's own sources say, and deb.debian.org for bootstrapped bases."""
    apt_security: Url | None = None
    pip: Url | None = None
    torch: Url | None = None
    """An index with CPU builds of torch; torch then comes from there, before everything else."""
    npm: Url | None = None
    maven: Url | None = None


class Timeouts(Part):
    """Seconds after which a step is given up, and how often a step that reaches the network is tried."""

    build: Seconds = 7_200
    pull: Seconds = 1_800
    bootstrap: Seconds = 1_800
    engine: Seconds = 60
    retries: Annotated[int, Field(ge=1, le=10)] = 3


class Network(Part):
    """The stack's own network on the host. Fixed, so that it can be checked against the host's routes."""

    subnet: Annotated[str, AfterValidator(checks.subnet)]


class EnginePayload(Part):
    """Files that install an engine on a bare host, with what their bytes must be. `invoke fetch-engine` brings them."""

    version: Version
    docker: str
    """Docker's static tarball, relative to release.yml."""
    docker_sha256: Sha256
    compose_version: Version
    compose: str
    """The Compose binary, relative to release.yml."""
    compose_sha256: Sha256


class Accepted(Part):
    """A finding of the audit that is accepted, and why; `path` and `value` narrow it."""

    rule: str
    reason: Annotated[str, Field(min_length=1)]
    path: str = ""
    value: str = ""


class Host(Part):
    """What a host must have; preflight refuses or warns by it."""

    root: ContainerPath
    minimum_engine: str = "20.10.10"
    memory: Size = "2g"
    cpus: Annotated[int, Field(ge=1)] = 2
    cpu_level: Literal["x86-64", "x86-64-v2", "x86-64-v3"] = "x86-64"
    start_limit: Seconds = 300
    """How long a service may take to become healthy before the deploy is taken back."""


class Release(Part):
    """Everything `release.yml` can say about a stack."""

    schema_: Literal[1] = Field(alias="schema")
    stack: Name
    bundle: Name
    source: str
    """The checkout to package, relative to this file."""
    expects: tuple[str, ...] = ()
    """Files without which a folder is not this stack's source."""
    strategy: Strategy = "offline"
    mode: Name = "all"
    """The widest mode that the bundle can serve."""
    platform: Literal["linux/amd64", "linux/arm64"] = "linux/amd64"
    timezone: str = "UTC"
    locale: Annotated[str, Field(pattern=r"^[A-Za-z_.0-9-]+$")] = "C.UTF-8"
    docker: str = "auto"
    """The docker client; `auto` takes the first on PATH that can use BuildKit."""
    work: str = ".offline"
    output: str = "dist"
    upload_limit: Annotated[str, Field(pattern=r"^[1-9]\d{0,14}[kKmMgG]?$")] | None = None
    """Bytes a second that transfers to hosts may take, all together; without it as many as the line takes."""
    keep: Annotated[int, Field(ge=1)] = 3
    """How many releases `store-gc` keeps by default."""
    ca_certificates: Literal["auto"] | tuple[str, ...] = "auto"
    """PEM files handed to builds; `auto`: the trust store of this machine, a company's own certificates included."""
    mirrors: Mirrors = Mirrors()
    timeouts: Timeouts = Timeouts()
    network: Network
    host: Host
    bases: dict[str, Base] = Field(default_factory=dict)
    images: dict[Name, Image]
    services: dict[Name, Service]
    payload: tuple[Payload, ...] = ()
    data: dict[Name, Data] = Field(default_factory=dict)
    secrets: tuple[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")], ...] = ()
    """Made on the host at the first deploy, kept in its .env; `${NAME:?}` hands one to a service."""
    first_run: tuple[FirstRun, ...] = ()
    engine: EnginePayload | None = None
    audit: tuple[Accepted, ...] = ()

    @model_validator(mode="after")
    def _names_agree(self) -> Release:
        problems = checks.cross_references(self)
        if problems:
            raise ValueError("\n".join(problems))
        return self
