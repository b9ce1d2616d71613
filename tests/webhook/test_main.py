"""The webhook as a process: how it starts, what stops it, who gets in, and how it ends."""

import asyncio
import hashlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner

from orchestrator.errors import OrchestratorError
from tests.conftest import FreePort
from tests.orchestrator.site import ALICE, TLS, client_tls, found
from tests.waiting import until
from tests.webhook import make
from webhook import token
from webhook.__main__ import PasswordsElsewhere, _gate, main
from webhook.token import Caller, Role

CHECKOUT = Path(__file__).parents[2]
LOGS = ("log-level", "log-format", "log-file", "log-file-size", "log-file-count")
ENDS_WITHIN = 30.0  # seconds; a busy machine takes its time
ADMIN = {"Authorization": "Bearer open sesame"}


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "webhook", *arguments]


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
def config(tmp_path: Path) -> Path:
    """Write a configuration without projects, and a token for an admin."""
    admin = Caller(name="ann", role=Role.ADMIN)
    (tmp_path / "tokens").write_text(token.line(admin, "open sesame"))
    path = tmp_path / "orchestrator.yml"
    path.write_text("projects: []\nalertmanagers: [http://127.0.0.1:1]\n")
    return path


@dataclass(frozen=True, slots=True)
class Running:
    """A webhook, and what it has written once it has ended."""

    process: asyncio.subprocess.Process
    folder: Path

    def stored(self) -> list[str]:
        """Return the bodies in its database."""
        reader = sqlite3.connect(f"file:{self.folder / 'x.db'}?mode=ro", uri=True)
        found = [row[0] for row in reader.execute("SELECT body FROM notifications ORDER BY id")]
        reader.close()
        return found

    async def end(self) -> tuple[int | None, str]:
        """Tell it to end; return its status and what it said."""
        with suppress(ProcessLookupError):  # it ended by itself, and was told of
            self.process.send_signal(signal.SIGTERM)
        _, said = await asyncio.wait_for(self.process.communicate(), ENDS_WITHIN)
        return self.process.returncode, said.decode()


@asynccontextmanager
async def _running(config: Path, port: int, *arguments: str) -> AsyncIterator[Running]:
    """Run a webhook for the length of the block; it listens when the block begins."""
    db = ("--db", str(config.parent / "x.db"), "--log-level", "warning")
    process = await asyncio.create_subprocess_exec(
        *_command("--config", str(config), *db, *arguments),
        cwd=CHECKOUT,
        stderr=asyncio.subprocess.PIPE,
    )

    async def listening() -> bool:
        assert process.returncode is None, (await process.communicate())[1].decode()
        return await _listens(port)

    webhook = Running(process, config.parent)
    try:
        await until(listening, within=20, what="the listener")
        yield webhook
    finally:
        if process.returncode is None:
            await webhook.end()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True


REFUSALS: list[tuple[Sequence[str], str]] = [
    (
        ["--listen", "0.0.0.0:4001"],
        "Error: 0.0.0.0:4001: refusing to listen beyond loopback without --tokens FILE, because",
    ),
    (["--listen", "127.0.0.1"], "Error: 127.0.0.1: no port; write 127.0.0.1:4001\n"),
    (["--tokens", "nowhere"], "Error: nowhere: No such file or directory\n"),
    (["--tokens", "pyproject.toml"], "Error: pyproject.toml: line 1: has 1 words; write: name"),
    (["--web-config", "nowhere.yml"], "Error: nowhere.yml: No such file or directory\n"),
    (
        ["--config", "nowhere.yml"],
        "Error: nowhere.yml: No such file or directory; --config names another\n",
    ),
]


@pytest.mark.parametrize(("arguments", "said"), REFUSALS)
def test_what_cannot_be_used_is_an_error_and_no_traceback(
    config: Path, arguments: Sequence[str], said: str
) -> None:
    done = _run("--config", str(config), *arguments)
    assert (done.returncode, done.stdout, done.stderr[: len(said)]) == (1, "", said)


def test_passwords_of_the_web_configuration_are_refused(tmp_path: Path) -> None:
    (tmp_path / "web.yml").write_text(ALICE)
    with pytest.raises(PasswordsElsewhere, match="knows its callers by --tokens FILE") as refused:
        _gate(tmp_path / "web.yml")
    assert isinstance(refused.value, OrchestratorError)


@pytest.mark.parametrize(
    "arguments", [["--nonsense"], ["more"], ["token"], ["token", "a"], ["token", "a", "root"]]
)
def test_a_wrong_option_is_status_2(arguments: Sequence[str]) -> None:
    assert CliRunner().invoke(main, arguments).exit_code == 2


def test_help_names_every_option_and_command_with_examples() -> None:
    said = CliRunner().invoke(main, ["--help"]).stdout
    named = re.findall(r"^  (--[a-z-]+|token)\b", said, re.MULTILINE)
    options = ["config", "projects", "db", "listen", "tokens", "web-config"]
    options += ["enable-test-endpoints", "dry-run", *LOGS]
    assert named == [*(f"--{each}" for each in options), "--version", "--help", "token"]
    assert "Examples:\n\n    python -m webhook --config" in said


def test_a_token_and_its_line_are_printed_and_never_the_same_twice() -> None:
    runs = [CliRunner().invoke(main, ["token", "mesh", "alertmanager"]) for _ in range(2)]
    made = [run.stdout.splitlines() for run in runs]
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text, _ in made]
    assert [line for _, line in made] == [f"mesh alertmanager {each}" for each in hashes]
    assert (len(set(hashes)), {len(text) for text, _ in made}) == (2, {43})
    assert "give it to mesh, and to nobody else" in runs[0].stderr


def test_no_token_is_made_for_a_name_that_the_file_could_not_have() -> None:
    done = CliRunner().invoke(main, ["token", "a:b", "viewer"])
    assert (done.exit_code, done.stdout, done.stderr[:23]) == (1, "", "Error: the name is not ")


def test_every_option_is_in_the_page() -> None:
    page = (CHECKOUT / "docs/webhook.md").read_text(encoding="utf-8")
    options = [name for each in main.params for name in each.opts]
    assert [name for name in options if f"`{name}`" not in page] == []


async def _status(http: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> int:
    async with http.get(f"{url}/metrics", headers=headers) as response:
        return response.status


async def test_with_tokens_it_listens_beyond_loopback_and_says_what_is_readable(
    config: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    port = free_port()
    where = ("--listen", f"0.0.0.0:{port}", "--tokens", str(config.parent / "tokens"))
    async with _running(config, port, *where) as webhook:
        named = {"Host": "webhook.example.org"}
        answers = [
            await _status(http, f"http://127.0.0.1:{port}", headers)
            for headers in ({}, named, {**named, **ADMIN})
        ]
        status, said = await webhook.end()
    warned = [line for line in said.splitlines() if "no TLS" in line]
    assert (answers, status, len(warned)) == ([401, 401, 200], 0, 1)


async def test_it_speaks_tls_and_then_warns_of_nothing(config: Path, free_port: FreePort) -> None:
    authority = found(config.parent)
    headers = "http_server_config: {headers: {X-Frame-Options: deny}}"
    (config.parent / "web.yml").write_text(f"tls_server_config: {{{TLS}}}\n{headers}\n")
    port, folder = free_port(), config.parent
    given = ("--tokens", str(folder / "tokens"), "--web-config", str(folder / "web.yml"))
    async with _running(config, port, "--listen", f"0.0.0.0:{port}", *given) as webhook:
        connector = aiohttp.TCPConnector(ssl=client_tls(authority))
        async with aiohttp.ClientSession(connector=connector) as https:
            url = f"https://127.0.0.1:{port}/metrics"
            async with https.get(url) as refused, https.get(url, headers=ADMIN) as answered:
                told = [
                    (each.status, each.headers["X-Frame-Options"]) for each in (refused, answered)
                ]
        status, said = await webhook.end()
    assert (told, status, "no TLS" in said) == ([(401, "deny"), (200, "deny")], 0, False)


async def _post(port: int, body: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Post a notification whose last byte is yet to come; return when its receiver has begun."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /alerts HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body) + 1}\r\n"
    writer.write(f"{head}Expect: 100-continue\r\n\r\n".encode())
    assert (await reader.readline()).split()[1] == b"100"
    await reader.readline()
    writer.write(body)
    return reader, writer


async def test_e28_what_is_under_way_at_sigterm_is_stored_and_answered_or_refused(
    config: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    port = free_port()
    body = make.body(make.alert()) + b" "
    async with _running(config, port, "--listen", f":{port}") as webhook:
        with sqlite3.connect(config.parent / "x.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")  # what comes now has to wait for us
            whole, half = [await _post(port, body[:-1]) for _ in range(2)]
            whole[1].write(body[-1:])
            async with http.get(f"http://127.0.0.1:{port}/-/healthy") as response:
                await response.read()  # by now the whole one is at the store
            webhook.process.send_signal(signal.SIGTERM)
            refused = (await half[0].readline()).split()[1]
            other.execute("ROLLBACK")
        other.close()
        answered = (await whole[0].readline()).split()[1]
        ended = await asyncio.wait_for(webhook.process.wait(), ENDS_WITHIN)
        for _, writer in (whole, half):
            writer.close()
    assert (answered, webhook.stored()) in [(b"200", [body.decode()]), (b"503", [])]
    assert (refused, ended) == (b"503", 0)


async def test_e28_in_a_stream_of_notifications_200_means_stored(
    config: Path, free_port: FreePort
) -> None:
    port = free_port()
    answered: dict[str, int] = {}

    async def send(http: aiohttp.ClientSession, sender: int) -> None:
        number = 0
        with suppress(aiohttp.ClientConnectionError):
            while True:
                number += 1
                body = make.body(make.alert(fingerprint=f"{sender:08x}{number:08x}"))
                async with http.post(f"http://127.0.0.1:{port}/alerts", data=body) as response:
                    answered[body.decode()] = response.status

    async with _running(config, port, "--listen", f":{port}") as webhook:
        async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
            for sender in range(20):
                group.create_task(send(http, sender))

            async def flowing() -> bool:
                return len(answered) > 100

            await until(flowing, within=20, what="a stream")
            webhook.process.send_signal(signal.SIGTERM)
        ended = await asyncio.wait_for(webhook.process.wait(), ENDS_WITHIN)
        stored = set(webhook.stored())
    lost = [body for body, status in answered.items() if status == 200 and body not in stored]
    assert (lost, set(answered.values()) <= {200, 503}, ended) == ([], True, 0)


async def test_the_variable_names_the_tokens_too(
    config: Path, free_port: FreePort, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "ORCHESTRATOR_TOKENS", str(config.parent / "tokens"))  # noqa: TID251  what the child gets
    port = free_port()
    async with _running(config, port, "--listen", f":{port}"):
        answers = [await _status(http, f"http://127.0.0.1:{port}", each) for each in ({}, ADMIN)]
    assert answers == [401, 200]
