"""Debian's packages: the mirror that the system uses, and what stands in the way of fetching."""

import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.demo import debian
from orchestrator.demo.debian import CannotFetch


def _said(*urls: str) -> str:
    """Write what apt-get says of the index files that it would fetch."""
    return "".join(f"'{url}' {url.partition('//')[2].replace('/', '_')} 0 \n" for url in urls)


MAIN = "http://deb.example.org/debian/dists/bookworm/InRelease"
UPDATES = "http://deb.example.org/debian/dists/bookworm-updates/InRelease"
SECURITY = "http://security.example.org/debian-security/dists/bookworm-security/InRelease"
OTHER = "https://download.example.org/linux/docker/dists/bookworm/InRelease"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (_said(MAIN), "http://deb.example.org/debian"),
        (_said(MAIN, UPDATES, SECURITY), "http://deb.example.org/debian"),
        (_said(SECURITY, OTHER, MAIN), "http://deb.example.org/debian"),
        (
            _said(SECURITY, "https://mirror.example.org/pub/debian/dists/sid/Release"),
            "https://mirror.example.org/pub/debian",
        ),
        (
            _said("http://a.example.org/debian/dists/trixie/InRelease", MAIN),
            "http://a.example.org/debian",
        ),
        (
            _said("http://deb.example.org:8080/debian/dists/bookworm/InRelease"),
            "http://deb.example.org:8080/debian",
        ),
        (_said("file:/srv/debian/dists/bookworm/InRelease"), "file:/srv/debian"),
        (f"Reading package lists...\n{_said(MAIN)}", "http://deb.example.org/debian"),
    ],
)
def test_the_mirror_is_the_one_that_the_system_uses(said: str, found: str) -> None:
    assert debian.mirror(said) == found


@pytest.mark.parametrize(
    "said",
    [
        "",
        _said(SECURITY),
        _said(OTHER, SECURITY),
        _said("http://archive.example.org/ubuntu/dists/noble/InRelease"),
        _said("http://deb.example.org/debian/pool/main/p/prometheus/prometheus_2.42.0_amd64.deb"),
        "W: http://deb.example.org/debian/dists/bookworm/InRelease failed\n",
    ],
    ids=["nothing", "security only", "others", "Ubuntu", "no index", "a warning"],
)
def test_without_a_debian_mirror_there_is_nothing_to_fetch_from(said: str) -> None:
    with pytest.raises(CannotFetch) as refused:
        debian.mirror(said)
    assert str(refused.value) == "the package sources of this system name no Debian mirror"


FETCH = """
import sys
from pathlib import Path
from orchestrator.demo import debian
try:
    debian.fetch(["hello"], suite="bookworm", into=Path(sys.argv[1]), then=print)
except debian.CannotFetch as error:
    sys.exit(f"refused: {error}")
"""


def _fetch(path: Path, into: Path) -> "subprocess.CompletedProcess[str]":
    """Fetch in a process of its own, whose PATH is *path* and that finds no other program."""
    return subprocess.run(  # noqa: S603  this interpreter
        [sys.executable, "-c", FETCH, str(into)],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def _program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def test_another_system_than_debian_says_what_it_lacks(tmp_path: Path) -> None:
    done = _fetch(tmp_path, tmp_path / "tools" / "bookworm")
    assert (done.returncode, done.stderr, _names(tmp_path)) == (
        1,
        "refused: apt-get and dpkg-deb not found: this is no Debian system\n",
        [],
    )


def test_apt_that_fails_is_quoted_and_leaves_nothing(tmp_path: Path) -> None:
    programs, tools = tmp_path / "bin", tmp_path / "tools"
    programs.mkdir()
    _program(programs / "apt-get", "echo 'E: the disk\nis full' >&2; exit 100")
    _program(programs / "dpkg-deb", "exit 1")
    done = _fetch(programs, tools / "bookworm")
    assert (done.returncode, done.stderr, _names(tools)) == (
        1,
        "refused: apt-get failed: E: the disk is full\n",
        [],
    )


APT = f"""
case "$*" in
  *--print-uris*) echo "'{MAIN}' x 0" ;;
  *download*) : >hello.deb ;;
esac
"""


def test_packages_are_unpacked_whole_into_their_folder(tmp_path: Path) -> None:
    programs, tools = tmp_path / "bin", tmp_path / "tools"
    programs.mkdir()
    (tools / "bookworm" / "half").mkdir(parents=True)  # of an attempt long ago
    _program(programs / "apt-get", APT)
    _program(programs / "dpkg-deb", ': >"$3/unpacked"')
    done = _fetch(programs, tools / "bookworm")
    assert (done.returncode, done.stderr, _names(tools), _names(tools / "bookworm")) == (
        0,
        "",
        ["bookworm"],
        ["unpacked"],
    )


def test_an_archive_that_is_broken_leaves_what_was_there(tmp_path: Path) -> None:
    programs, tools = tmp_path / "bin", tmp_path / "tools"
    programs.mkdir()
    (tools / "bookworm" / "whole").mkdir(parents=True)
    _program(programs / "apt-get", APT)
    _program(programs / "dpkg-deb", "echo 'not a Debian archive' >&2; exit 2")
    done = _fetch(programs, tools / "bookworm")
    assert (done.returncode, done.stderr, _names(tools), _names(tools / "bookworm")) == (
        1,
        "refused: dpkg-deb failed: not a Debian archive\n",
        ["bookworm"],
        ["whole"],
    )
