"""The exporter as a process: how it starts, what stops it from starting, how it ends."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import bcrypt
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
        f"projects: [{{name: a, url: 'http://127.0.0.1:{free_port()}', health_interval: 200ms}}]",
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
    (["--shard", "3/2"], "Error: '3/2' is no shard; write 1/3, 2/3 or 3/3 for three exporters\n"),
    (["--web-config", "nowhere.yml"], "Error: nowhere.yml: No such file or directory\n"),
    (["--projects", "chatbot"], "Error: "),
    (
        ["--config", "nowhere.yml"],
        "Error: nowhere.yml: No such file or directory; --config names another\n",
    ),
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
        "--projects",
        "--listen",
        "--web-config",
        "--shard",
        "--log-level",
        "--log-format",
        "--log-file",
        "--log-file-size",
        "--log-file-count",
        "--version",
        "--help",
    ]


@asynccontextmanager
async def _running(*arguments: str, **variables: str) -> AsyncIterator[None]:
    """Run the exporter for the length of the block."""
    exporter = await asyncio.create_subprocess_exec(
        *_command("--log-level", "warning", *arguments),
        cwd=CHECKOUT,
        env={**os.environ, **variables},  # noqa: TID251  the child needs the whole of it
    )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            exporter.terminate()
        await asyncio.wait_for(exporter.wait(), 10)


async def _listed(http: aiohttp.ClientSession, url: str, *, login: str = "") -> set[str]:
    """Wait for an exporter; return the projects that it watches."""
    headers = {"Authorization": login} if login else {}

    async def listed() -> list[dict[str, list[str]]] | None:
        try:
            async with http.get(f"{url}/sd", headers=headers) as response:
                found: list[dict[str, list[str]]] = await response.json()
                return found
        except aiohttp.ClientConnectionError:
            return None

    found = await until(listed, within=20, what="the list")
    return {each["targets"][0] for each in found}


NAMES = [f"p{number}" for number in range(12)]
MANY = ",".join(f"{name}:http://127.0.0.1:1" for name in NAMES)


async def test_projects_of_the_environment_need_no_file(
    free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    port = str(free_port())
    async with _running(PROJECTS=MANY, PORT=port):
        assert await _listed(http, f"http://127.0.0.1:{port}") == set(NAMES)


async def test_projects_of_the_environment_join_those_of_the_file(
    config: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    port = free_port()
    more = ("--config", str(config), "--listen", f":{port}")
    async with _running(*more, PROJECTS="b:http://127.0.0.1:1,a:http://127.0.0.1:2"):
        assert await _listed(http, f"http://127.0.0.1:{port}") == {"a", "b"}


async def test_shards_watch_the_whole_fleet_and_nobody_twice(
    free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    ports = [free_port() for _ in range(2)]
    async with (
        _running("--shard", "1/2", "--listen", f":{ports[0]}", PROJECTS=MANY),
        _running("--shard", "2/2", "--listen", f":{ports[1]}", PROJECTS=MANY),
    ):
        first, second = [await _listed(http, f"http://127.0.0.1:{port}") for port in ports]
    assert (first | second, first & second, bool(first), bool(second)) == (
        set(NAMES),
        set(),
        True,
        True,
    )


async def test_with_passwords_it_listens_beyond_loopback_and_asks_for_them(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    hashed = bcrypt.hashpw(b"open sesame", bcrypt.gensalt(4)).decode()
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{prometheus: '{hashed}'}}")
    port = free_port()
    where = ("--listen", f"0.0.0.0:{port}", "--web-config", str(tmp_path / "web.yml"))
    url = f"http://127.0.0.1:{port}"
    async with _running(*where, PROJECTS=MANY):
        right = aiohttp.encode_basic_auth("prometheus", "open sesame")
        assert await _listed(http, url, login=right) == set(NAMES)
        async with http.get(url, headers={"Host": "exporter.example.org"}) as response:
            assert response.status == 401
