"""`orchestrator approvals`, `approve` and `reject`, as processes that ask a running webhook."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner

from orchestrator.cli import main
from tests.conftest import FreePort, Serve
from tests.webhook.questions import Hook, Street, config, running

COMMAND = str(Path(sys.executable).with_name("orchestrator"))
HOSTILE = "\x1b]0;owned\x07\N{RIGHT-TO-LEFT OVERRIDE}txt.exe"


@pytest.fixture
async def hook(
    http: aiohttp.ClientSession, serve: Serve, free_port: FreePort, tmp_path: Path
) -> AsyncIterator[Hook]:
    set_up = config(await serve(Street().app()))
    async with running(set_up, tmp_path / "x.db", free_port, http) as made:
        yield made


async def _run(url: str, *arguments: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "TZ": "UTC", "ORCHESTRATOR_URL": url},
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_a_question_is_listed_allowed_and_then_not_to_be_answered_again(hook: Hook) -> None:
    [asked] = await hook.ask("p1")
    number, until = str(asked["id"]), f"{asked['expires_at']:.19}".replace("T", " ")
    status, listed, _ = await _run(hook.url, "approvals")
    assert (status, listed.splitlines()) == (
        0,
        [
            (
                "ID  STATE    PROJECT  ACTION           AGAINST      INCIDENT  UNTIL (UTC)"
                "          BY"
            ),
            f"{number}   waiting  p1       restart_service  ProjectDown  1         {until}",
        ],
    )
    assert await _run(hook.url, "approve", number, "--reason", f"go {HOSTILE}") == (
        0,
        (
            f"approval {number}, restart_service on p1: approved by local: go ]0;owned txt.exe\n"
            "incident 1, against ProjectDown, attempt 1\n"
        ),
        "",
    )
    assert await _run(hook.url, "reject", number, "--reason", "no") == (
        1,
        "",
        f"orchestrator: approval {number} was approved by local already\n",
    )


async def test_as_json_it_is_what_the_webhook_says(hook: Hook) -> None:
    [asked] = await hook.ask("p1")
    _, none, _ = await _run(hook.url, "approvals", "--all", "--limit", "1", "--json")
    status, said, _ = await _run(
        hook.url, "reject", str(asked["id"]), "--reason", HOSTILE, "--json"
    )
    assert json.loads(none) == {"approvals": [asked], "next": None}
    assert status == 0
    assert json.loads(said) == await hook.get(f"/api/v1/approvals/{asked['id']}")
    assert json.loads(said)["reason"] == HOSTILE


async def test_where_nothing_waits_it_says_so(hook: Hook) -> None:
    assert await _run(hook.url, "approvals") == (0, "nothing waits for an answer\n", "")


async def test_what_was_never_asked_cannot_be_answered(hook: Hook) -> None:
    said = await _run(hook.url, "approve", "9", "--reason", "so")
    assert said == (1, "", "orchestrator: there is no approval 9\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["approve", "9"], "Missing option '--reason'"),
        (["reject", "x", "--reason", "so"], "'x' is not a valid integer"),
        (["approvals", "--limit", "0"], "0 is not in the range"),
    ],
)
def test_a_wrong_option_is_said(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, said in result.output) == (2, True)


def test_without_a_webhook_it_says_so(free_port: FreePort) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    result = CliRunner().invoke(main, ["approvals", "--url", url])
    assert (result.exit_code, "Is the webhook up?" in result.output) == (4, True)
