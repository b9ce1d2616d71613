"""docker-compose.yml as it is read: with .env.example, and as values."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
OURS = "orchestrator:0.1.0"  # the image that deploy/Dockerfile makes

Service = Mapping[str, Any]


def _environment() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


ENVIRONMENT = _environment()
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<how>[-?])(?P<else>[^}]*))?\}")


def text() -> str:
    """Return the file as it is written."""
    return (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


def load(environment: Mapping[str, str] = ENVIRONMENT) -> dict[str, Any]:
    """Return the whole file; a variable without a value has its default, or is a KeyError."""

    def value(found: re.Match[str]) -> str:
        name, how = found["name"], found["how"]
        return environment.get(name, found["else"]) if how == "-" else environment[name]

    loaded: dict[str, Any] = yaml.safe_load(VARIABLE.sub(value, text()))
    return loaded


COMPOSE = load()
SERVICES: Mapping[str, Service] = COMPOSE["services"]
RUNNING = {name: each for name, each in SERVICES.items() if "healthcheck" in each}
JOBS = SERVICES.keys() - RUNNING.keys()  # what is run by hand, and ends


@dataclass(frozen=True, slots=True)
class Mount:
    """What a service sees at *target*: a folder of the checkout, or a volume."""

    source: str
    target: str
    read_only: bool

    @property
    def is_file(self) -> bool:
        """Tell whether it is in the checkout, and no volume."""
        return self.source.startswith("./")


def mounts(service: Service) -> list[Mount]:
    """Return the mounts of *service*, its secrets not among them."""
    parts = [each.split(":") for each in service.get("volumes", [])]
    return [Mount(source, target, how == ["ro"]) for source, target, *how in parts]


def secrets(service: Service) -> dict[str, str]:
    """Return the secrets of *service*: what it finds in /run/secrets, and which that is."""
    named = service.get("secrets", [])
    long = [{"source": each, "target": each} if isinstance(each, str) else each for each in named]
    return {each["target"]: each["source"] for each in long}


def names(service: str) -> dict[str, set[str]]:
    """Return by network under which names *service* is found there."""
    written = SERVICES[service].get("networks", [])
    if isinstance(written, list):
        return {network: {service} for network in written}
    return {
        network: {service, *(more or {}).get("aliases", [])} for network, more in written.items()
    }


def between(one: str, other: str) -> set[str]:
    """Return the networks on which both services are."""
    return names(one).keys() & names(other).keys()


def lay_out(service: Service, root: Path, made: Path) -> None:
    """Put everything that *service* mounts below *root*, which stands for its /.

    Its volumes are empty, and its secrets are those in the folder *made*.
    """
    for mount in mounts(service):
        target = root / mount.target.lstrip("/")
        if mount.is_file:
            shutil.copytree(ROOT / mount.source, target)
        else:
            target.mkdir(parents=True)
    inside = root / "run/secrets"
    inside.mkdir(parents=True)
    for name, source in secrets(service).items():
        file = Path(COMPOSE["secrets"][source]["file"])
        path = made / file.name
        shutil.copy(path if path.exists() else ROOT / file, inside / name)
