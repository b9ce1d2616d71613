"""Where Prometheus and Alertmanager are: named, on the PATH, or fetched from Debian's packages."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from orchestrator.demo import debian
from orchestrator.errors import OrchestratorError

# The name of the environment variable, then the names that the program goes by.
NAMES = {
    "PROMETHEUS": ("prometheus",),
    "PROMTOOL": ("promtool",),
    "ALERTMANAGER": ("alertmanager", "prometheus-alertmanager"),
    "AMTOOL": ("amtool",),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """One Prometheus and one Alertmanager out of the packages of a Debian suite."""

    suite: str
    packages: tuple[str, ...]


PAIRS = {
    "download": Pair("bookworm", ("prometheus", "prometheus-alertmanager")),  # 2.42 and 0.25
    "new": Pair("unstable", ("prometheus", "promtool", "prometheus-alertmanager")),  # 3.x and 0.3x
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """The paths of the four programs."""

    prometheus: Path
    promtool: Path
    alertmanager: Path
    amtool: Path


class NotFound(OrchestratorError):
    """The programs are not here and cannot be fetched."""

    def __init__(self, why: object) -> None:
        super().__init__(
            f"Prometheus and Alertmanager are not here, and fetching them failed: {why}\n"
            "Install both (on Debian: apt-get install prometheus prometheus-alertmanager), or name"
            " them: PROMETHEUS=/path/prometheus PROMTOOL=/path/promtool"
            " ALERTMANAGER=/path/alertmanager AMTOOL=/path/amtool.\n"
            "The other way is Docker: docs/compose.md"
        )


def find(environment: Mapping[str, str], tools: Path) -> Binaries:
    """Return the four programs, fetching them into the folder *tools* where they are missing.

    `TOOLS` in *environment* chooses: unset, the PATH comes first, then Debian 12's packages;
    `download` leaves the PATH out; `new` takes Debian unstable's. A program that is named by its
    own variable is always the one that is used. Raises NotFound, or OrchestratorError for a name
    that leads nowhere or a TOOLS that is not known.
    """
    wanted = environment.get("TOOLS", "")
    if wanted and wanted not in PAIRS:
        raise OrchestratorError(f"TOOLS={wanted}: not known; it is {' or '.join(PAIRS)}, or unset")
    found = _named(environment)
    if not wanted:
        on_path = {name: _on_path(name, environment) for name in NAMES if name not in found}
        found |= {name: path for name, path in on_path.items() if path}
    rest = [name for name in NAMES if name not in found]
    if rest:
        fetched = _fetched(PAIRS[wanted or "download"], tools)
        found |= {name: fetched[name] for name in rest}
    return Binaries(**{name.lower(): path for name, path in found.items()})


def version(binary: Path) -> str:
    """Return the version that *binary* says of itself, as `2.42.0`; raise OrchestratorError."""
    try:
        said = subprocess.run(  # noqa: S603  a path that the user chose, no shell
            [binary, "--version"],
            capture_output=True,
            encoding="utf-8",
            errors="replace",  # it may be any program
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise OrchestratorError(f"{binary} does not run here: {error}") from error
    stated = re.search(r"version (\d+(?:\.\d+)+)", said.stdout + said.stderr)
    return stated.group(1) if stated else "unknown"


def _named(environment: Mapping[str, str]) -> dict[str, Path]:
    named = {name: Path(environment[name]) for name in NAMES if environment.get(name)}
    for name, path in named.items():
        if not os.access(path, os.X_OK) or path.is_dir():
            raise OrchestratorError(f"{name}={path}: no program there")
    return {name: path.absolute() for name, path in named.items()}


def _on_path(name: str, environment: Mapping[str, str]) -> Path | None:
    found = (shutil.which(each, path=environment.get("PATH", "")) for each in NAMES[name])
    return next((Path(path).absolute() for path in found if path), None)


def _fetched(pair: Pair, tools: Path) -> dict[str, Path]:
    root = (tools / pair.suite).absolute()
    missing = [name for name in NAMES if _in(root, name) is None]
    if missing:
        click.echo(
            f"fetching {', '.join(pair.packages)} of Debian {pair.suite} into {root} (once) ...",
            err=True,
        )
        try:
            debian.fetch(pair.packages, suite=pair.suite, into=root, then=_relocate)
        except (debian.CannotFetch, OSError) as error:
            raise NotFound(error) from error
    found = {name: _in(root, name) for name in NAMES}
    lacking = [name for name, path in found.items() if path is None]
    if lacking:
        raise NotFound(f"the packages of {pair.suite} hold no {', '.join(lacking).lower()}")
    return {name: path for name, path in found.items() if path}


def _relocate(root: Path) -> None:
    """Let Debian's Alertmanager find its templates in *root*.

    It was built to read them from one absolute path, which only an installed package fills, and
    does not start without them. The relative path of the same length leads there from *root*, so
    a wrapper starts it from there. A build that carries its templates is left as it is.
    """
    binary = root / "usr/bin/prometheus-alertmanager"
    built_in, relative = (
        b"/usr/share/prometheus/alertmanager",
        b"usr/share/prometheus/alertmanager/",
    )
    program = binary.read_bytes()
    if built_in in program:
        binary.write_bytes(program.replace(built_in, relative))
    wrapper = root / "alertmanager"
    wrapper.write_text(
        '#!/bin/sh\ncd "$(dirname "$0")" && exec usr/bin/prometheus-alertmanager "$@"\n'
    )
    wrapper.chmod(0o755)


def _in(root: Path, name: str) -> Path | None:
    paths = (root / folder / each for each in NAMES[name] for folder in (".", "usr/bin"))
    return next((path for path in paths if os.access(path, os.X_OK)), None)


def main() -> None:
    """Find or fetch the programs of this checkout, and say where they are."""
    try:
        found = find(os.environ, Path(".tools"))  # noqa: TID251  the program's own edge
        for binary in (found.prometheus, found.alertmanager):
            version(binary)
    except OrchestratorError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
