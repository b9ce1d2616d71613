"""What keeps the demo from starting, before anything is started or written."""

import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from orchestrator.demo import launch, run
from orchestrator.demo.binaries import Binaries
from orchestrator.demo.launch import NoCheckout, PortTaken, check
from orchestrator.demo.run import Result, play
from orchestrator.demo.screen import Screen
from orchestrator.demo.stack import PORTS, PROGRAMS_NEED, Stack
from orchestrator.demo.timeline import Run
from orchestrator.errors import OrchestratorError
from orchestrator.project import Mode
from tests.conftest import FreePort

HANG = Run(fault="hang", project="chatbot", mode=Mode.ACT, length=None)


@pytest.fixture
def ports(free_port: FreePort) -> dict[str, int]:
    """Choose a free port for every program."""
    return {name: free_port() for name in PORTS}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make folders by the names that a checkout has."""
    for name in PROGRAMS_NEED:
        (tmp_path / "checkout" / name).mkdir(parents=True)
    return tmp_path / "checkout"


@pytest.fixture
def taken(free_port: FreePort) -> Iterator[int]:
    """Listen on a port, as another program would."""
    with socket.create_server(("127.0.0.1", free_port())) as listener:
        yield listener.getsockname()[1]


def _stack(checkout: Path, folder: Path, ports: Mapping[str, int]) -> Stack:
    folder.mkdir()
    absent = folder / "absent"
    programs = Binaries(prometheus=absent, promtool=absent, alertmanager=absent, amtool=absent)
    return Stack(checkout=checkout, folder=folder, binaries=programs, ports=ports)


async def _play(stack: Stack) -> None:
    async def then(result: Result) -> None:
        raise AssertionError(f"it ran: {result}")

    await play(stack, HANG, Screen(), then)


def test_a_checkout_and_free_ports_are_all_it_takes(checkout: Path, ports: dict[str, int]) -> None:
    check(checkout, ports)


@pytest.mark.parametrize(
    ("there", "lacks"),
    [
        ((), "exporter and no webhook and no rules"),
        (("exporter", "rules"), "webhook"),
        (("webhook",), "exporter and no rules"),
    ],
)
def test_a_folder_that_is_no_checkout_is_told_what_it_lacks(
    tmp_path: Path, ports: dict[str, int], there: tuple[str, ...], lacks: str
) -> None:
    for name in there:
        (tmp_path / name).mkdir()
    with pytest.raises(NoCheckout) as refused:
        check(tmp_path, ports)
    assert str(refused.value) == (
        f"the demo runs in a checkout of orchestrator, and {tmp_path} has no {lacks};"
        " cd to the checkout first"
    )


def test_a_port_that_is_taken_is_named_with_its_program(
    checkout: Path, ports: dict[str, int], taken: int
) -> None:
    with pytest.raises(PortTaken) as refused:
        check(checkout, ports | {"webhook": taken})
    assert str(refused.value) == (
        f"taken by another program: port {taken} (webhook);"
        " end it, or choose another with --port NAME=PORT"
    )


def test_every_port_that_is_taken_is_named(
    checkout: Path, ports: dict[str, int], taken: int, free_port: FreePort
) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as other:
        also = other.getsockname()[1]
        with pytest.raises(PortTaken) as refused:
            check(checkout, ports | {"chatbot": taken, "prometheus": also})
    assert str(refused.value) == (
        f"taken by another program: port {taken} (chatbot), port {also} (prometheus);"
        " end it, or choose another with --port NAME=PORT"
    )


def test_two_programs_cannot_have_one_port(checkout: Path, ports: dict[str, int]) -> None:
    with pytest.raises(PortTaken) as refused:
        check(checkout, ports | {"prometheus": ports["alertmanager"]})
    assert str(refused.value) == (
        "prometheus and alertmanager need a port each; choose others with --port"
    )


async def test_outside_of_a_checkout_nothing_is_written(
    tmp_path: Path, ports: dict[str, int]
) -> None:
    stack = _stack(tmp_path, tmp_path / "demo", ports)
    with pytest.raises(NoCheckout):
        await _play(stack)
    assert list(stack.folder.iterdir()) == []


async def test_with_a_port_taken_nothing_is_written(
    tmp_path: Path, checkout: Path, ports: dict[str, int], taken: int
) -> None:
    stack = _stack(checkout, tmp_path / "demo", ports | {"exporter": taken})
    with pytest.raises(PortTaken):
        await _play(stack)
    assert list(stack.folder.iterdir()) == []


async def test_with_a_program_that_does_not_run_nothing_is_written(
    tmp_path: Path, checkout: Path, ports: dict[str, int]
) -> None:
    stack = _stack(checkout, tmp_path / "demo", ports)
    with pytest.raises(OrchestratorError, match=f"^{re.escape(str(stack.folder))}/absent does not"):
        await _play(stack)
    assert list(stack.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("names", "awaited"),
    [
        ([], "bad probes or figures, a scrape, an evaluation, a notification"),
        (["ProjectDown"], "looking closer"),
        (["ProjectDown", "ActionStarted"], "the command is on its way"),
        (["ActionStarted", "ActionExecuted"], "waiting for a good probe"),
        (["RecoveryObserved"], "waiting for Prometheus and Alertmanager to agree"),
        (["RESTART_FAILED"], "deciding what is next"),
        (["Mitigated"], "waiting until it has been calm for long enough"),
        (["RESTART_FAILED", "SomethingNew"], "looking closer"),
    ],
)
def test_what_is_awaited_follows_from_the_last_event(names: list[str], awaited: str) -> None:
    assert run._awaited([{"name": name} for name in names]) == awaited


@pytest.mark.parametrize(
    ("output", "supervisor", "said"),
    [
        (None, None, ""),
        (None, b"it began\nit failed\n", "\nThe last it said:\n  it began\n  it failed"),
        (b"", b"it failed\n", "\nThe last it said:\n  it failed"),
        (b"mine\n", b"it failed\n", "\nThe last it said:\n  mine"),
        (b"1\n2\n3\n4\n5\n6\n7\n", None, "\nThe last it said:\n  3\n  4\n  5\n  6\n  7"),
        (b"\xff\n", None, "\nThe last it said:\n  \ufffd"),
    ],
)
def test_the_last_words_are_those_of_the_program_or_else_of_its_supervisor(
    tmp_path: Path, output: bytes | None, supervisor: bytes | None, said: str
) -> None:
    (tmp_path / "state" / "output").mkdir(parents=True)
    for path, content in (
        (tmp_path / "state" / "output" / "webhook.log", output),
        (tmp_path / "supervisor.log", supervisor),
    ):
        if content is not None:
            path.write_bytes(content)
    assert launch._last_words(tmp_path, "webhook") == said
