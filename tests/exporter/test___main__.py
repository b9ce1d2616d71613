"""The exporter as a process: how it starts, what stops it from starting, how it ends."""

import asyncio
import contextlib
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import FreePort
from tests.waiting import until

CHECKOUT = Path(__file__).parents[2]


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "exporter", *arguments]


def _run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603  a program of ours, no shell
        _command(*arguments),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.fixture
def config(tmp_path: Path, free_port: FreePort) -> Path:
    """Write a configuration of one project, which is down."""
    path = tmp_path / "orchestrator.yml"
    path.write_text(
        f"projects: [{{name: a, url: 'http://127.0.0.1:{free_port()}', health_interval: 100ms}}]",
        encoding="utf-8",
    )
    return path


async def _metrics(http: aiohttp.ClientSession, port: int) -> str | None:
    try:
        async with http.get(f"http://127.0.0.1:{port}/metrics?collect[]=health") as response:
            page = await response.text()
    except aiohttp.ClientConnectionError:
        return None
    return page if "project_up{" in page else None


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
async def test_it_watches_until_it_is_told_to_end(
    config: Path, free_port: FreePort, http: aiohttp.ClientSession, told: signal.Signals
) -> None:
    port = free_port()
    arguments = ("--config", str(config), "--listen", f":{port}", "--log-level", "warning")
    exporter = await asyncio.create_subprocess_exec(
        *_command(*arguments), cwd=CHECKOUT, stderr=asyncio.subprocess.PIPE
    )

    async def known() -> str | None:
        assert exporter.returncode is None, (await exporter.communicate())[1].decode()
        return await _metrics(http, port)

    try:
        page = await until(known, within=20, what="a verdict")
    finally:
        with contextlib.suppress(ProcessLookupError):  # it ended by itself, and was told of
            exporter.send_signal(told)
        _, said = await asyncio.wait_for(exporter.communicate(), 10)
    assert (page.splitlines()[-1], exporter.returncode, said) == (
        'project_up{project="a"} 0.0',
        0,
        b"",
    )


REFUSALS: list[tuple[Sequence[str], str]] = [
    (["--listen", "0.0.0.0:4010"], "Error: 0.0.0.0:4010: refusing to listen beyond loopback"),
    (["--listen", "127.0.0.1"], "Error: 127.0.0.1: no port; write 127.0.0.1:4001\n"),
    (["--config", "nowhere.yml"], "Error: nowhere.yml: No such file or directory\n"),
    (["--config", "pyproject.toml"], "Error: pyproject.toml: "),
]


@pytest.mark.parametrize(("arguments", "said"), REFUSALS)
def test_what_cannot_be_used_is_an_error_and_no_traceback(
    config: Path, arguments: Sequence[str], said: str
) -> None:
    done = _run("--config", str(config), *arguments)
    assert (done.returncode, done.stdout, done.stderr[: len(said)]) == (1, "", said)


def test_every_mistake_of_the_configuration_is_told(config: Path) -> None:
    config.write_text("projects: [{nam: a}]\nguards: {breaker: 0}", encoding="utf-8")
    done = _run("--config", str(config))
    assert (done.returncode, done.stderr.splitlines()) == (
        1,
        [
            f"Error: {config}: projects[0].name: is missing",
            f"{config}: projects[0].url: is missing",
            f"{config}: projects[0].nam: unknown key, did you mean name?",
            f"{config}: guards.breaker: input should be greater than or equal to 1",
        ],
    )


async def test_a_port_that_is_taken_is_named(config: Path, free_port: FreePort) -> None:
    port = free_port()
    async with await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", port):
        done = _run("--config", str(config), "--listen", f":{port}")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        1,
        f"Error: 127.0.0.1:{port}: cannot listen: Address already in use",
    )


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--log-level", "loud"], ["more"]])
def test_a_wrong_option_is_status_2(arguments: Sequence[str]) -> None:
    assert _run(*arguments).returncode == 2


def test_help_names_every_option() -> None:
    said = _run("--help").stdout
    assert re.findall(r"^  (--[a-z-]+)", said, re.MULTILINE) == [
        "--config",
        "--listen",
        "--log-level",
        "--version",
        "--help",
    ]
