"""`orchestrator incidents`, `incident` and `history`, as processes that ask a running webhook."""

import asyncio
import json
import sys
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner

from orchestrator.cli import history, main
from tests.conftest import FreePort, Serve
from tests.waiting import until
from tests.webhook import make
from tests.webhook.repaired import fill
from webhook import app, index
from webhook.store.database import Store, connect

COMMAND = str(Path(sys.executable).with_name("orchestrator"))


@pytest.fixture
async def url(tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> str:
    """Serve a webhook whose database tells of two incidents."""
    monkeypatch.setattr(index, "EVERY", 0.02)
    path = tmp_path / "orchestrator.db"
    db = connect(path)
    fill(db)
    db.close()
    return await serve(app.make(make.config(projects={}), Store(path), version="1.2.3"))


async def _run(url: str, *arguments: str, zone: str = "UTC") -> tuple[int | None, list[str], str]:
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "TZ": zone, "ORCHESTRATOR_URL": url},
    )
    out, err = await process.communicate()
    return process.returncode, out.decode().splitlines(), err.decode()


async def _run_here(url: str, *arguments: str) -> tuple[int | None, list[str], str]:
    """Run it in this process, which is ten times as quick; the zone is that of the machine."""
    runner, env = CliRunner(), {"ORCHESTRATOR_URL": url}
    ended = await asyncio.to_thread(runner.invoke, main, list(arguments), env=env)
    return ended.exit_code, ended.stdout.splitlines(), ended.stderr


async def test_incidents_are_a_table_the_newest_first(
    http: aiohttp.ClientSession, url: str
) -> None:
    async def found() -> bool:
        async with http.get(f"{url}/api/v1/incidents?q=again") as response:
            return bool((await response.json())["incidents"])

    listed = await _run(url, "incidents", zone="EST5")
    head = (
        "ID  STATE     PROJECT  OPENED (EST)         ENDED                DOWN  ATTEMPTS  HELD BY"
    )
    first = "1   resolved  a        2026-11-21 07:00:00  2026-11-21 07:00:11  8s    1"
    second = "2   closed    b        2026-11-21 07:00:00  2026-11-21 07:00:00        0"
    assert listed == (0, [head, second, first], "")
    await until(found, within=5, what="the words of the incident")
    searched = await _run_here(url, "incidents", "--search", "AGAIN well")
    assert (searched[0], [each[:15] for each in searched[1]]) == (0, [head[:15], first[:15]])
    page = await _run_here(url, "incidents", "--limit", "1")
    assert (page[0], page[1][-1]) == (0, "older ones: --before 2")
    assert await _run_here(url, "incidents", "--open") == (0, ["nothing goes on"], "")


async def test_an_incident_is_told_moment_by_moment(url: str) -> None:
    status, lines, err = await _run(url, "incident", "1", zone="EST5")
    assert (status, lines, err) == (
        0,
        [
            "incident 1, resolved: a",
            (
                "a was down from 07:00:00 to 07:00:08 UTC-05:00. Restarted once, asked for by ann,"
                " and it worked. Total downtime 8 seconds."
            ),
            "",
            "TIME (EST)           AFTER  TOOK  WHAT",
            "2026-11-21 07:00:00  +0s          ProjectDown began",
            "2026-11-21 07:00:01  +1s          restart_service begins, attempt 1",
            "2026-11-21 07:00:08  +8s    8s    ProjectDown ended",
            "2026-11-21 07:00:11  +11s   10s   resolved: well again",
            "",
            "attempts:",
            (
                "  2026-11-21 07:00:01 restart_service against ProjectDown, asked for by ann:"
                " completed: proven"
            ),
            "    | done",
        ],
        "",
    )


SUMMER = "EST5EDT4,J325/6:30,J325/9"  # on one day of the year, around the incident


async def test_times_of_another_season_are_told_in_the_zone_of_then(url: str) -> None:
    _, told, _ = await _run(url, "incident", "1", zone=SUMMER)
    assert told[1].startswith("a was down from 08:00:00 to 08:00:08 UTC-04:00.")
    assert told[3:5] == [
        "TIME (EDT)           AFTER  TOOK  WHAT",
        "2026-11-21 08:00:00  +0s          ProjectDown began",
    ]
    _, listed, _ = await _run(url, "incidents", zone=SUMMER)
    assert "OPENED (EDT)         ENDED" in listed[0]
    span = ("--from", "2026-11-21T10:00Z", "--to", "2026-11-21T12:00:05Z")
    _, history, _ = await _run(url, "history", "--project", "a", *span, zone=SUMMER)
    assert history[:2] == [
        "TIME (EDT)           PROJECT  INCIDENT  WHAT",
        "2026-11-21 08:00:01  a        1         restart_service begins, attempt 1",
    ]


async def test_what_strangers_wrote_cannot_steer_the_terminal(url: str) -> None:
    status, lines, _ = await _run_here(url, "incident", "2")
    assert (status, all(each.isprintable() for each in lines)) == (0, True)
    said = "<script>alert(1)</script> [2J 'OR 1=1 --"
    assert lines[-5:] == [
        "asked:",
        f"  approval 1, rejected by bob: {said}",
        "",
        "people were told:",
        lines[-1],
    ]
    assert lines[-1].startswith("  escalation from 2026-11-21 ")
    assert lines[-1].endswith(f": {said}")


async def test_the_history_tells_what_happened_between_two_times(url: str) -> None:
    span = ("--from", "2026-11-21 7 AM", "--to", "2026-11-21 08:00")
    assert await _run(url, "history", "--project", "a", *span, zone="EST5") == (
        0,
        [
            "TIME (EST)           PROJECT  INCIDENT  WHAT",
            "2026-11-21 07:00:01  a        1         restart_service begins, attempt 1",
            "2026-11-21 07:00:08  a        1         ProjectDown ended",
            "2026-11-21 07:00:11  a        1         resolved: well again",
            "2026-11-21 07:00:20  all                the kill switch is on",
        ],
        "",
    )
    whole = ("--from", "2026-11-21T12:00Z", "--to", "2026-11-21T13:00Z")
    status, lines, _ = await _run_here(url, "history", *whole, "--limit", "1")
    assert (status, len(lines), "there is more: go on with --from" in lines[-1]) == (0, 3, True)
    nothing = await _run_here(url, "history", "--from", "2020-01-01", "--to", "2020-01-02")
    [said] = nothing[1]
    assert said.startswith("nothing is known to have happened from 2020-01-01 00:00:00 ")


async def test_who_asks_about_a_project_that_is_not_there_is_told_so(
    tmp_path: Path, serve: Serve
) -> None:
    store = Store(tmp_path / "orchestrator.db")
    url = await serve(app.make(make.config(), store, version="1.2.3"))
    not_there = "; no project is called email-blsat; did you mean email-blast?"
    asked = await _run_here(url, "incidents", "--open", "--project", "email-blsat")
    assert asked == (0, [f"nothing goes on{not_there}"], "")
    _, [history], _ = await _run_here(url, "history", "--from", "2h", "--project", "email-blsat")
    assert history.endswith(not_there)
    known = await _run_here(url, "incidents", "--project", "email-blast")
    assert known == (0, ["there is none"], "")


async def test_a_long_history_is_read_page_by_page(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    span = ("--from", "2026-11-21T12:00Z", "--to", "2026-11-21T13:00Z")
    once = await _run_here(url, "history", *span, "--json")
    monkeypatch.setattr(history, "PAGE", 2)
    assert (len(json.loads("\n".join(once[1]))["history"]), once[0]) == (6, 0)
    assert await _run_here(url, "history", *span, "--json") == once
    cut = await _run_here(url, "history", *span, "--limit", "3", "--json")
    assert len(json.loads("\n".join(cut[1]))["history"]) == 3


async def test_as_json_they_are_what_the_webhook_says(
    http: aiohttp.ClientSession, url: str
) -> None:
    span = ("--from", "2026-11-21T12:00Z", "--to", "2026-11-21T13:00Z")
    for command, path, query in (
        (("incidents",), "incidents", {}),
        (("incident", "1"), "incidents/1", {}),
        (
            ("history", *span),
            "history",
            {"from": "2026-11-21T12:00:00Z", "to": "2026-11-21T13:00:00Z"},
        ),
    ):
        status, lines, err = await _run_here(url, *command, "--json")
        async with http.get(f"{url}/api/v1/{path}", params=query) as response:
            assert (status, json.loads("\n".join(lines)), err) == (0, await response.json(), "")


async def test_what_cannot_be_told_ends_with_its_status(url: str, free_port: FreePort) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    for at, arguments, status, said in (
        (url, ("incident", "9"), 1, "orchestrator: there is no incident 9"),
        (url, ("incidents", "--search", "--"), 1, "orchestrator: query.q: there is no word in it"),
        (url, ("incident", "x"), 2, "'x' is not a valid integer"),
        (url, ("history",), 2, "Missing option '--from'"),
        (url, ("history", "--from", "teatime"), 2, "'teatime' is no time; write it like 14:00"),
        (url, ("history", "--from", "1h", "--to", "2h"), 2, "nothing lies between"),
        (nobody, ("incidents",), 4, "Is the webhook up?"),
        (nobody, ("history", "--from", "1h"), 4, "Is the webhook up?"),
    ):
        ended, out, err = await _run_here(at, *arguments)
        assert (arguments, ended, out, said in err) == (arguments, status, [], True), err
