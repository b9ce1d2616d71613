"""`orchestrator incident --why` and `analyzer report`, asked of a running webhook."""

import asyncio
import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import aiohttp
import pytest
from click.testing import CliRunner, Result

from orchestrator.cli import main
from orchestrator.cli.analyzer import analyzer
from orchestrator.cli.why import WIDTH, told
from tests import terminal
from tests.conftest import FreePort, Serve
from tests.webhook import disk_full, make
from tests.webhook.make import NOW, SECOND
from tests.webhook.reasoned import SECRET, analysis, answered, decided, fill
from tests.webhook.repaired import HOSTILE
from tests.webhook.store.fill import add
from webhook import app
from webhook.api.why import why
from webhook.offline.analyzer import group
from webhook.plain import line
from webhook.store.database import Store, connect
from webhook.store.explained import explained

CALM = line(HOSTILE, 100)


@pytest.fixture
async def url(tmp_path: Path, serve: Serve) -> str:
    """Serve a webhook whose database tells of analyses, four of them with an outcome."""
    path = tmp_path / "orchestrator.db"
    db = connect(path)
    fill(db)
    add(db, "incidents", project="c", state="closed", ended_at=NOW)
    for number, state in ((4, "completed"), (5, "completed"), (6, "failed")):
        key, over = f"key-{number}", NOW + 300 * SECOND
        times = {"executed_at": over, "finished_at": over}
        add(db, "actions", key=key, incident=2, project="b", state=state, **times)
        analysis(db, number, incident=2, **answered(), **decided("auto", key=key))
    db.close()
    return await serve(app.make(make.config(projects={}), Store(path), version="1.2.3"))


async def _run_here(url: str, *arguments: str) -> Result:
    """Run it in this process, which is ten times as quick."""
    runner, env = CliRunner(), {"ORCHESTRATOR_URL": url}
    return await asyncio.to_thread(runner.invoke, main, list(arguments), env=env)


WHY = f"""\
analysis 1, 2026-11-21 12:00:00 UTC: people are asked to allow it
  asked:
    what to do about ProjectDown, after 1 attempt
    it might propose restart_service, clear_cache
    tried before: restart_service: failed
  answer:
    by claude-sonnet-5-5, prompt 1, in 4.0 s
    cause: the database has no room left, password=*** (disk full)
    proposes restart_service, sure to 0.9, which counts as 0.72
    would like to know status
    suspicious text: instruction
  because:
    - the disk is full {CALM} [M1, L1]
    - not memory leak: memory is low
  gates:
    yes answered  claude-sonnet-5-5 has answered
    NO  trusted   text is suspicious: {CALM}
    so: restart_service is not done by itself: text is suspicious
  after:
    restart_service: rejected: rejected by bob
    approval 1: rejected by bob
    the alert ended 2026-11-21 12:00:30, fired again 2026-11-21 12:01:00
    what came of it: rejected
  evidence:
    M1  measured   metrics: disk: last 0.997, unit ratio
    L1  untrusted  logs: no space left {CALM} password=***: count
                   31
    missing: status: no answer within 3 s
    2 more, for which there was no room
  calls:
    claude-sonnet-5-5: overloaded 529, 0.4 s, $0.000000
    claude-sonnet-5-5: ok 200, 3.2 s, $0.054100
    in all $0.054100
"""
GIVEN_UP = """\
analysis 3, 2026-11-21 12:00:40 UTC: given up before there was an answer; nothing of it counts
  asked:
    what to do about ProjectDown, after 3 attempts
"""


async def test_why_is_told_from_the_question_to_what_happened_after(url: str) -> None:
    ran = await terminal.orchestrator("incident", "1", "--why", at=url)
    assert (ran.status, ran.err) == (0, "")
    head, first, second, third = ran.out.split("\n\n")
    assert head.splitlines()[0] == "incident 1, escalated: a"
    assert head.splitlines()[1].startswith("a has been down since 12:00:00 UTC.")
    assert f"{first}\n" == WHY
    assert second.splitlines()[:5] == [
        "analysis 2, 2026-11-21 12:00:00 UTC: the playbook goes on",
        "  asked:",
        "    what to do about ProjectDown, after 2 attempts",
        "  answer:",
        "    by rules, in 4.0 s",
    ]
    assert "    no model, for today's budget is spent" in second.splitlines()
    assert f"    let go of; its SHA-256 was {'e' * 64}" in second.splitlines()
    assert third == GIVEN_UP


async def test_the_example_of_the_guide_is_what_is_printed(tmp_path: Path, serve: Serve) -> None:
    db = connect(tmp_path / "x.db")
    disk_full.fill(db)
    db.close()
    store = Store(tmp_path / "x.db")
    url = await serve(app.make(make.config(projects={}), store, version="1.2.3"))
    guide = (Path(__file__).parents[2] / "docs" / "incidents.md").read_text(encoding="utf-8")
    example = guide.partition("$ orchestrator incident 12 --why\n")[2].partition("```")[0]
    ran = await terminal.orchestrator("incident", "12", "--why", at=url)
    assert ran.out == example


async def test_an_incident_that_was_never_analyzed_says_so(url: str) -> None:
    ran = await _run_here(url, "incident", "3", "--why")
    head, _, *told = ran.stdout.splitlines()
    assert (ran.exit_code, head, told) == (
        *(0, "incident 3, closed: c", ["", "the analyzer was not asked"]),
    )


async def test_what_strangers_and_models_wrote_cannot_steer_the_terminal(url: str) -> None:
    ran = await _run_here(url, "incident", "1", "--why")
    lines = ran.stdout.splitlines()
    assert all(each.isprintable() for each in lines)
    assert max(map(len, lines[3:])) <= WIDTH  # the sentences above are as `incident` has them
    assert SECRET not in ran.stdout


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("analyzer", "replay", "7", "--db", "not-there.db"), "open database file"),
        (("analyzer", "eval", "not-there"), "Directory 'not-there' does not exist"),
    ],
)
async def test_what_works_without_the_webhook_is_done_by_its_program(
    command: tuple[str, ...], said: str
) -> None:
    ran = await terminal.orchestrator(*command)
    assert (ran.status, ran.out, said in ran.err) == (2, "", True), ran.err


@pytest.mark.parametrize("name", ["replay", "eval"])
def test_their_options_are_told_and_no_others(name: str) -> None:
    ours, theirs = analyzer.commands[name], group.commands[name]
    told = set(re.findall(r"(--[a-z-]+)", ours.help or ""))
    shown = {opt for each in theirs.params for opt in (*each.opts, *each.secondary_opts)}
    assert told == {each for each in shown if each.startswith("--")}


async def test_as_json_why_is_what_the_webhook_says(http: aiohttp.ClientSession, url: str) -> None:
    ran = await _run_here(url, "incident", "1", "--why", "--json")
    async with http.get(f"{url}/api/v1/incidents/1/analyses") as response:
        assert (ran.exit_code, json.loads(ran.stdout)) == (0, await response.json())


REPORT = """\
decisions from 2026-11-21 00:00:00 to {now} UTC:
  OF                       DECIDED  RIGHT   95 %       AUTO RIGHT  BRIER  SKILL   ECE    ESCALATED
  all                      5        2 of 4  0.15-0.85  2 of 3      0.410  -0.640  0.400  0 of 5
  alert ProjectDown        5        2 of 4  0.15-0.85  2 of 3      0.410  -0.640  0.400  0 of 5
  action restart_service   5        2 of 4  0.15-0.85  2 of 3      0.410  -0.640  0.400  0 of 5
  model claude-sonnet-5-5  4        2 of 4  0.15-0.85  2 of 3      0.410  -0.640  0.400  0 of 4
  model rules              1                                                             0 of 1
  prompt 1                 4        2 of 4  0.15-0.85  2 of 3      0.410  -0.640  0.400  0 of 4
  prompt rules             1                                                             0 of 1

how sure, and how often right:
  SURE     ANSWERS  SAID   RIGHT
  0.9-1.0  4        0.900  0.500
  of fewer than 200 answers the calibration error (ECE) is mostly chance
"""


async def test_the_report_is_a_table_behind_what_may_be_spent(url: str) -> None:
    since = ("--since", "2026-11-21T00:00Z")
    ran = await terminal.orchestrator("analyzer", "report", *since, at=url)
    standing, report = ran.out.split("\n\n", 1)
    assert (ran.status, ran.err) == (0, "")
    head, today, month, hour = standing.splitlines()
    assert head.startswith("analyzer: mode ")
    assert head.endswith(", no key, so rules answer")
    assert today.startswith("  today: $0.")
    assert today.endswith(" left")
    assert month.startswith("  this month: $0.")
    assert hour.startswith("  within the hour: 0 of 30 calls")
    until = report.splitlines()[0].partition(" to ")[2].removesuffix(" UTC:")
    assert report == REPORT.format(now=until)


async def test_the_report_of_no_time_has_nothing(url: str) -> None:
    ran = await _run_here(url, "analyzer", "report", "--since", "1s")
    assert (ran.exit_code, ran.stdout.splitlines()[-1]) == (0, "  none")


async def test_the_plot_shows_a_dot_for_each_group_and_loads_nothing(
    url: str, tmp_path: Path
) -> None:
    file = tmp_path / "calibration.svg"
    since = ("--since", "2026-11-21T00:00Z")
    ran = await _run_here(url, "analyzer", "report", *since, "--svg", str(file))
    assert ran.exit_code == 0
    drawn = ET.parse(file).getroot()  # noqa: S314  a file of ours
    kinds = {each.tag.rpartition("}")[2] for each in drawn.iter()}
    dots = [each for each in drawn.iter() if "dot" in each.get("class", "").split()]
    told = [(each.text or "").strip() for each in drawn.iter() if each.text]
    assert (len([each for each in dots if each.tag.endswith("circle")]), "script" in kinds) == (
        *(1, False),
    )
    assert "4 answers" in told
    assert any(each.startswith("Calibration of 4 answers, 2026-11-21 to ") for each in told)
    text = file.read_text(encoding="utf-8")
    assert "href" not in text
    assert "url(" not in text


async def test_pygal_is_loaded_only_to_draw() -> None:
    look = "import sys, orchestrator.cli; sys.exit('pygal' in sys.modules)"
    ran = await terminal.ran(sys.executable, "-c", look)
    assert (ran.status, ran.err) == (0, "")


async def test_the_report_as_json_is_what_the_webhook_says(
    http: aiohttp.ClientSession, url: str
) -> None:
    since = "2026-11-21T00:00:00Z"
    ran = await _run_here(url, "analyzer", "report", "--since", since, "--json")
    said = json.loads(ran.stdout)
    async with http.get(f"{url}/api/v1/analyzer/report", params={"since": since}) as response:
        expected = await response.json()
    expected["until"] = said["report"]["until"]
    assert (said["report"], said["analyzer"]["hour"]["limit"]) == (expected, 30)


async def test_what_cannot_be_told_ends_with_its_status(
    url: str, free_port: FreePort, tmp_path: Path
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    svg = ("--svg", str(tmp_path / "not-there" / "x.svg"))
    for at, arguments, status, said in (
        (url, ("incident", "9", "--why"), 1, "orchestrator: there is no incident 9"),
        (url, ("analyzer", "report", *svg), 1, "x.svg: No such file or directory"),
        (url, ("analyzer", "report", "--since", "teatime"), 2, "'teatime' is no time"),
        (nobody, ("analyzer", "report"), 4, "Is the webhook up?"),
        (nobody, ("incident", "1", "--why"), 4, "Is the webhook up?"),
    ):
        ran = await _run_here(at, *arguments)
        assert (ran.exit_code, ran.stdout, said in ran.stderr) == (status, "", True), ran.stderr


def test_nothing_that_was_never_asked_is_made_up(tmp_path: Path) -> None:
    assert [*told([])] == ["the analyzer was not asked"]
    db = connect(tmp_path / "x.db")
    add(db, "incidents")
    analysis(db, 1)
    shown = [why(each).model_dump() for each in explained(db, 1, limit=1, now=NOW)]
    db.close()
    head, *asked = told(shown)
    assert head.endswith(": waits to be asked")
    assert asked == ["  asked:", "    what to do about ProjectDown, after 1 attempt"]
