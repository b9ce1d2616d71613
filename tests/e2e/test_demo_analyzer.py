"""The demo as people start it, of an outage that no restart ends: what it says of the analyzer."""

import re

import aiohttp
import pytest

from tests.e2e.demo import begun, children, until_gone

pytestmark = pytest.mark.e2e

AT = r" *\+\d+\.\d s  "
STORY = (
    r"no ANTHROPIC_API_KEY: a stand-in answers for Claude, by simple rules",
    rf"{AT}email-blast is broken: disk_full\. .+",
    rf"{AT}restart_service, attempt 1: intent committed, sending the command",
    rf"{AT}restart_service, attempt 1: carried out .+",
    rf"{AT}RESTART_FAILED: .+",
    rf"{AT}restart_service, attempt 2: intent committed, sending the command",
    rf"{AT}restart_service, attempt 2: carried out .+",
    rf"{AT}RESTART_FAILED: .+",
    rf"{AT}the analyzer is asked: ProjectDown, after 2 attempts",
    (
        rf"{AT}AIDecision by claude-sonnet-5-5\+stand-in: escalate, 0\.93 sure; The database is"
        r" full\. Delete old data or expand the database; a restart won't help\."
    ),
    rf"{AT}ESCALATION_REQUIRED: .+; likely disk full; the analyzer asks for people",
    r"after the injection: .+",
)


async def test_a_full_disk_is_restarted_twice_then_understood_and_handed_over(
    http: aiohttp.ClientSession, ports: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)  # with one, Claude itself is asked
    demo = await begun(ports, "--fault", "disk_full", "--fast")
    pids = await children(http, ports)
    said = (await demo.communicate())[0].decode()
    await until_gone(pids, ports)
    told = [line for line in said.splitlines() if any(re.fullmatch(each, line) for each in STORY)]
    assert demo.returncode == 0, said
    assert len(told) == len(STORY), said
    for line, pattern in zip(told, STORY, strict=True):
        assert re.fullmatch(pattern, line), line
    assert said.count("intent committed") == 2
