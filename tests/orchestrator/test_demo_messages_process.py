"""The stand-in as a process, and the SDK that takes it for the real one."""

import os
import sys
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner

from orchestrator.demo.messages.__main__ import main
from orchestrator.demo.messages.app import LABEL
from orchestrator.supervisor.leash import leashed
from tests.conftest import FreePort, Serve
from tests.messages import failing, refusing, saying, stand_in
from tests.waiting import until

QUESTION: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 4096,
    "messages": [{"role": "user", "content": "What is wrong?"}],
}
HEADERS = {"Authorization": "Bearer very-secret-key", "anthropic-version": "2026-10-21"}


async def launch(*options: str) -> Process:
    """Start the stand-in as a process that cannot outlive the tests."""
    argv = [sys.executable, "-m", "orchestrator.demo.messages", *options]
    return await create_subprocess_exec(*leashed(argv, os.getpid()), stderr=PIPE)


async def test_it_answers_as_a_process_until_sigterm_and_its_log_tells_no_key(
    free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    process = await launch("--listen", f"127.0.0.1:{port}", "--confidence", "0.71")

    async def look() -> str | None:
        try:
            async with http.get(url) as response:
                return await response.text()
        except aiohttp.ClientConnectionError:
            return None

    label = await until(look, within=10, what="the stand-in's first answer")
    async with http.post(f"{url}/v1/messages", json=QUESTION, headers=HEADERS) as response:
        found = await response.json()
    process.terminate()
    _, log = await process.communicate()
    assert (label, found["model"], process.returncode) == (
        f"{LABEL}\n",
        "claude-sonnet-5-5+stand-in",
        0,
    )
    assert '"confidence": 0.71' in found["content"][0]["text"]
    assert (b"model='claude-sonnet-5-5+stand-in'" in log, b"secret" in log) == (True, False)
    assert b"What is wrong" not in log


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--listen", "0.0.0.0:1"], "refusing to listen beyond loopback"),
        (["--listen", "127.0.0.1:1", "--mind", "claude"], "'claude' is not one of"),
        (["--listen", "127.0.0.1:1", "--confidence", "1.1"], "is not in the range 0<=x<=1"),
    ],
)
def test_a_wrong_option_is_one_line(options: list[str], complaint: str) -> None:
    found = CliRunner().invoke(main, options)
    assert (found.exit_code != 0, complaint in found.output) == (True, True)


@pytest.mark.long
async def test_the_sdk_takes_it_for_the_real_one(serve: Serve) -> None:
    import anthropic  # noqa: PLC0415  two seconds, and only for this test
    import httpx2  # noqa: PLC0415

    spent = failing(429, code="enforced_spend_limit_reached")
    url, script = await stand_in(serve, saying(), refusing("cyber"), failing(529), spent, key="k")
    async with httpx2.AsyncClient(trust_env=False) as own:
        client = anthropic.AsyncAnthropic(
            api_key="k", base_url=url, max_retries=0, http_client=own, open_telemetry=False
        )
        answer = await client.messages.create(**QUESTION)
        refusal = await client.messages.create(**QUESTION)
        with pytest.raises(anthropic.OverloadedError):
            await client.messages.create(**QUESTION)
        with pytest.raises(anthropic.RateLimitError) as limited:
            await client.messages.create(**QUESTION)
        with pytest.raises(anthropic.AuthenticationError):
            await client.with_options(api_key="other").messages.create(**QUESTION)
        counted = await client.messages.count_tokens(
            model="claude-x", messages=[{"role": "user", "content": "Hi"}]
        )
    assert answer._request_id == f"req_standin_{script.asked[0].id}"
    assert (answer.stop_reason, refusal.stop_reason) == ("end_turn", "refusal")
    assert limited.value.error_code == "enforced_spend_limit_reached"
    assert (counted.input_tokens > 0, len(script.asked)) == (True, 4)
