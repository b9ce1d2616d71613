"""Debian's packages, fetched and unpacked into a folder: no root, and no change to the system."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator.errors import OrchestratorError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
NEEDED = ("apt-get", "dpkg-deb")
FETCH_WITHIN = 600  # seconds for one apt command; it resumes nothing, so be patient


class CannotFetch(OrchestratorError):
    """The packages cannot be had here; the text says why and what to do instead."""


def fetch(packages: Sequence[str], *, suite: str, into: Path, then: Callable[[Path], None]) -> None:
    """Download *packages* of Debian's *suite* and unpack them to *into*, whole or not at all.

    *then* gets the folder of the unpacked files for a last touch before they move to *into*.
    apt keeps its lists and cache beside *into*, so empty or foreign lists of the system do not
    matter. The mirror is the one that this system uses. Raises CannotFetch.
    """
    missing = [tool for tool in NEEDED if shutil.which(tool) is None]
    if missing:
        raise CannotFetch(f"{' and '.join(missing)} not found: this is no Debian system")
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=f".{suite}-") as scratch:
        _fetch(packages, suite, Path(scratch))
        then(Path(scratch) / "root")
        shutil.rmtree(into, ignore_errors=True)
        (Path(scratch) / "root").rename(into)


def _fetch(packages: Sequence[str], suite: str, scratch: Path) -> None:
    for name in ("lists/partial", "cache/archives/partial", "debs", "root"):
        (scratch / name).mkdir(parents=True)
    (scratch / "status").touch()
    trust = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    (scratch / "sources.list").write_text(f"deb {trust}{_mirror(scratch)} {suite} main\n")
    apt = ["apt-get", "--quiet=2", *_options(_places(scratch))]
    _run([*apt, "update"], scratch)
    _run([*apt, "download", *packages], scratch / "debs")
    for package in sorted((scratch / "debs").glob("*.deb")):
        _run(["dpkg-deb", "--extract", str(package), str(scratch / "root")], scratch)


def _places(scratch: Path) -> dict[str, str]:
    """Return apt settings that keep it out of the system's own state."""
    return {
        "Dir::State": str(scratch),
        "Dir::State::lists": str(scratch / "lists"),
        "Dir::State::status": str(scratch / "status"),
        "Dir::Cache": str(scratch / "cache"),
        "Dir::Etc::sourcelist": str(scratch / "sources.list"),
        "Dir::Etc::sourceparts": "/dev/null",
        "APT::Sandbox::User": "root",  # else apt, run by root, cannot read a private folder
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }


def _mirror(scratch: Path) -> str:
    """Return the Debian mirror of the system's sources, whatever form they are written in."""
    lists = {"Dir::State::lists": str(scratch / "lists")}  # empty: so apt has to name all it wants
    said = _run(["apt-get", "update", "--print-uris", *_options(lists)], scratch)
    return mirror(said)


def mirror(said: str) -> str:
    """Find the mirror in what `apt-get update --print-uris` said; raise CannotFetch."""
    bases = re.findall(r"^'([^']+)/dists/[^/']+/(?:In)?Release'", said, re.MULTILINE)
    for base in bases:
        if base.rstrip("/").endswith("/debian"):
            return str(base)
    raise CannotFetch("the package sources of this system name no Debian mirror")


def _options(settings: dict[str, str]) -> list[str]:
    return [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]


def _run(command: list[str], folder: Path) -> str:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}  # noqa: TID251  the child needs the whole of it, proxies included
    try:
        done = subprocess.run(  # noqa: S603  fixed programs, a list of arguments, no shell
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=FETCH_WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CannotFetch(f"{command[0]} did not end within {FETCH_WITHIN} s") from error
    if done.returncode != 0:
        said = " ".join((done.stderr or done.stdout).split())[-400:]
        raise CannotFetch(f"{' '.join(command[:1])} failed: {said}")
    return done.stdout
