"""Which Prometheus and Alertmanager the demo takes; nothing here is downloaded."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.demo import binaries
from orchestrator.demo.binaries import Binaries, find, version
from orchestrator.errors import OrchestratorError

DEBIAN_NAMES = ("prometheus", "promtool", "prometheus-alertmanager", "amtool")
PLAIN_NAMES = ("prometheus", "promtool", "alertmanager", "amtool")


def _program(path: Path, script: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def _folder(folder: Path, *names: str) -> Path:
    for name in names:
        _program(folder / name)
    return folder


def _tools(tmp_path: Path) -> Path:
    """Prepare a folder in which the packages of both suites have been unpacked before."""
    for suite in ("bookworm", "unstable"):
        _folder(tmp_path / "tools" / suite / "usr/bin", *DEBIAN_NAMES)
        _program(tmp_path / "tools" / suite / "alertmanager")
    return tmp_path / "tools"


def _of(folder: Path, *names: str) -> Binaries:
    prometheus, promtool, alertmanager, amtool = (folder / name for name in names)
    return Binaries(
        prometheus=prometheus, promtool=promtool, alertmanager=alertmanager, amtool=amtool
    )


def _fetched(tools: Path, suite: str) -> Binaries:
    root = tools / suite
    return _of(root, "usr/bin/prometheus", "usr/bin/promtool", "alertmanager", "usr/bin/amtool")


@pytest.mark.parametrize("names", [PLAIN_NAMES, DEBIAN_NAMES])
def test_programs_on_the_path_come_first(tmp_path: Path, names: tuple[str, ...]) -> None:
    path = _folder(tmp_path / "bin", *names)
    assert find({"PATH": str(path)}, _tools(tmp_path)) == _of(path, *names)


def test_the_first_folder_of_the_path_wins(tmp_path: Path) -> None:
    first = _folder(tmp_path / "first", "prometheus", "promtool")
    second = _folder(tmp_path / "second", *PLAIN_NAMES)
    found = find({"PATH": f"{tmp_path}:{first}:{second}"}, tmp_path / "none")
    assert found == Binaries(
        prometheus=first / "prometheus",
        promtool=first / "promtool",
        alertmanager=second / "alertmanager",
        amtool=second / "amtool",
    )


def test_what_cannot_be_run_is_not_on_the_path(tmp_path: Path) -> None:
    path = _folder(tmp_path / "bin", *PLAIN_NAMES)
    (path / "prometheus").chmod(0o644)
    found = find({"PATH": str(path)}, _tools(tmp_path))
    assert found.prometheus == tmp_path / "tools/bookworm/usr/bin/prometheus"


@pytest.mark.parametrize("environment", [{}, {"PATH": ""}, {"PATH": "/nowhere"}, {"TOOLS": ""}])
def test_what_was_fetched_before_is_taken_where_the_path_has_none(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    tools = _tools(tmp_path)
    assert find(environment, tools) == _fetched(tools, "bookworm")


@pytest.mark.parametrize(("wanted", "suite"), [("download", "bookworm"), ("new", "unstable")])
def test_tools_leaves_the_path_out(tmp_path: Path, wanted: str, suite: str) -> None:
    tools, path = _tools(tmp_path), _folder(tmp_path / "bin", *PLAIN_NAMES)
    assert find({"PATH": str(path), "TOOLS": wanted}, tools) == _fetched(tools, suite)


@pytest.mark.parametrize("wanted", ["", "download", "new"])
@pytest.mark.parametrize("name", ["PROMETHEUS", "PROMTOOL", "ALERTMANAGER", "AMTOOL"])
def test_a_program_that_is_named_is_the_one_that_is_used(
    tmp_path: Path, wanted: str, name: str
) -> None:
    path, mine = _folder(tmp_path / "bin", *PLAIN_NAMES), _program(tmp_path / "mine")
    environment = {"PATH": str(path), "TOOLS": wanted, name: str(mine)}
    found = find(environment, _tools(tmp_path))
    assert [field for field in PLAIN_NAMES if getattr(found, field) == mine] == [name.lower()]


def test_paths_are_absolute_also_when_they_are_named_from_here(tmp_path: Path) -> None:
    _folder(tmp_path / "bin", *PLAIN_NAMES)
    code = (
        "from pathlib import Path; from orchestrator.demo.binaries import find;"
        "found = find({'PATH': 'bin', 'AMTOOL': 'bin/amtool'}, Path('tools'));"
        "print(found.prometheus, found.amtool)"
    )
    done = subprocess.run(  # noqa: S603  this interpreter, for the folder is of the whole process
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{tmp_path}/bin/prometheus {tmp_path}/bin/amtool\n"


def _nothing(path: Path) -> None:
    assert not path.exists()


def _not_executable(path: Path) -> None:
    path.touch(mode=0o644)


@pytest.mark.parametrize("make", [_nothing, _not_executable, Path.mkdir])
@pytest.mark.parametrize("name", ["PROMETHEUS", "AMTOOL"])
def test_a_name_that_leads_to_no_program_is_an_error_that_names_it(
    tmp_path: Path, name: str, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "mine"
    make(path)
    with pytest.raises(OrchestratorError) as refused:
        find({name: str(path)}, _tools(tmp_path))
    assert str(refused.value) == f"{name}={path}: no program there"


def test_an_unknown_choice_of_tools_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OrchestratorError) as refused:
        find({"TOOLS": "newest"}, _tools(tmp_path))
    assert str(refused.value) == "TOOLS=newest: not known; it is download or new, or unset"


FIND = """
import sys
from pathlib import Path
from orchestrator.demo import binaries
try:
    binaries.find({}, Path(sys.argv[1]))
except binaries.NotFound as error:
    print(error)
"""


def test_when_nothing_works_every_way_out_is_told(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603  this interpreter, in which PATH leads to no apt-get
        [sys.executable, "-c", FIND, str(tmp_path / "tools")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == (
        "Prometheus and Alertmanager are not here, and fetching them failed:"
        " apt-get and dpkg-deb not found: this is no Debian system\n"
        "Install both (on Debian: apt-get install prometheus prometheus-alertmanager), or name"
        " them: PROMETHEUS=/path/prometheus PROMTOOL=/path/promtool"
        " ALERTMANAGER=/path/alertmanager AMTOOL=/path/amtool.\n"
        "The other way is Docker: docs/compose.md\n"
    )


def test_the_program_says_the_same_in_one_line_and_no_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator.demo.binaries"],
        cwd=tmp_path,
        env={"PATH": str(tmp_path), "TOOLS": "newest"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        "error: TOOLS=newest: not known; it is download or new, or unset\n",
    )


@pytest.mark.parametrize(
    ("script", "stated"),
    [
        ("echo 'prometheus, version 2.42.0+ds (branch: debian/sid)'", "2.42.0"),
        ("echo 'alertmanager, version 0.25.0 (branch: x)' >&2", "0.25.0"),
        ("echo 'prometheus, version 3.5'; echo 'go version: go1.24.2'", "3.5"),
        ("echo hello", "unknown"),
        ("printf '\\377 version 1.2.3'", "1.2.3"),
        ('[ "$*" = --version ] && echo version 1.0', "1.0"),
    ],
)
def test_a_version_is_what_the_program_says(tmp_path: Path, script: str, stated: str) -> None:
    assert version(_program(tmp_path / "program", script)) == stated


@pytest.mark.parametrize(
    ("content", "mode"),
    [(b"#!/bin/sh\nexit 3\n", 0o755), (b"\x7fELF", 0o755), (b"#!/nowhere\n", 0o755), (b"", 0o644)],
    ids=["fails", "for another machine", "without its interpreter", "not executable"],
)
def test_a_file_that_does_not_run_is_named(tmp_path: Path, content: bytes, mode: int) -> None:
    path = tmp_path / "program"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(OrchestratorError) as refused:
        version(path)
    assert str(refused.value).startswith(f"{path} does not run here: ")


DEBIAN_BUILD = b"\x7fELF..\0/usr/share/prometheus/alertmanager/default.tmpl\0.."


@pytest.mark.parametrize(
    ("built", "relocated"),
    [
        (DEBIAN_BUILD, b"\x7fELF..\0usr/share/prometheus/alertmanager//default.tmpl\0.."),
        (b"\x7fELF with its templates", b"\x7fELF with its templates"),
    ],
)
def test_an_alertmanager_of_debian_finds_its_templates_where_it_was_unpacked(
    tmp_path: Path, built: bytes, relocated: bytes
) -> None:
    binary = _program(tmp_path / "usr/bin/prometheus-alertmanager")
    binary.write_bytes(built)
    binaries._relocate(tmp_path)
    assert binary.read_bytes() == relocated


def test_the_wrapper_starts_alertmanager_from_its_root(tmp_path: Path) -> None:
    _program(tmp_path / "usr/bin/prometheus-alertmanager", 'echo "$PWD" "$@"')
    binaries._relocate(tmp_path)
    done = subprocess.run(  # noqa: S603  the wrapper under test
        [tmp_path / "alertmanager", "--version", "a b"],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{tmp_path} --version a b\n"
