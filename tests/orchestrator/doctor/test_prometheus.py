"""What the doctor finds of Prometheus."""

import pytest
from aiohttp import web

from orchestrator.doctor.prometheus import examine
from tests.conftest import FreePort, Serve
from tests.orchestrator.doctor.town import Town, asker, bad, looked, rule, series
from tests.webhook import make


async def test_where_all_is_well_it_says_what_it_looked_at(serve: Serve) -> None:
    assert await looked(examine, Town(), serve) == [
        ("ok", "TOWN is ready, version 3.5.0"),
        ("ok", "the clock of Prometheus is ours, within 5 s"),
        ("ok", "the rules of all 2 alerts that matter are loaded"),
        ("ok", "it scrapes all 1 targets of ours"),
        ("ok", "project_up is there for the one project"),
        ("ok", "it sends alerts to every Alertmanager of ours (1)"),
    ]


async def test_one_that_is_not_there_is_all_that_is_told(free_port: FreePort) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with asker() as ask:
        [found] = await examine(ask, make.config(prometheus=url))
    assert (found.mark, found.said) == ("FAIL", f"{url}: Connection refused")


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([rule("ProjectDown")], "no rule is called Watchdog"),
        ([rule("Watchdog")], "no rule is called ProjectDown"),
        (
            [rule("Watchdog"), rule("ProjectDown", remediate=False)],
            "the rule ProjectDown has no label remediate, so nothing repairs it",
        ),
        (
            [rule("Watchdog"), rule("ProjectDown", health="err")],
            "the rule ProjectDown cannot be evaluated",
        ),
    ],
)
async def test_a_rule_that_does_not_do_its_part_fails(
    serve: Serve, rules: list[dict[str, object]], said: str
) -> None:
    assert bad(await looked(examine, Town(rules=rules), serve)) == [("FAIL", said)]


@pytest.mark.parametrize(
    ("town", "finding"),
    [
        (
            Town(up=[series(0, job="exporter-health", instance="a:1")]),
            ("FAIL", "it cannot scrape exporter-health at a:1"),
        ),
        (Town(own=[]), ("warn", "it has no figures of the webhook")),
        (
            Town(projects=[]),
            ("FAIL", "no project_up of email-blast, so nobody notices when it is down"),
        ),
        (Town(alertmanagers=[]), ("FAIL", "it knows no Alertmanager")),
        (
            Town(alertmanagers=["http://elsewhere:9093"]),
            ("warn", "it sends no alerts to TOWN, as far as the name tells"),
        ),
        (
            Town(instead={"/api/v1/rules": web.Response(text="<html>")}),
            ("FAIL", "it does not tell its rules"),
        ),
        (
            Town(instead={"/api/v1/alertmanagers": web.json_response({"data": []})}),
            ("FAIL", "it does not tell which Alertmanagers it knows"),
        ),
        (
            Town(instead={"/-/ready": web.Response(status=503)}),
            ("FAIL", "TOWN: it answers 503"),
        ),
    ],
)
async def test_what_is_wrong_is_found(serve: Serve, town: Town, finding: tuple[str, str]) -> None:
    assert bad(await looked(examine, town, serve)) == [finding]


async def test_one_that_answers_no_query_tells_neither_scrapes_nor_projects(serve: Serve) -> None:
    town = Town(instead={"/api/v1/query": web.Response(status=422)})
    assert bad(await looked(examine, town, serve)) == [
        ("FAIL", "it does not tell what it scrapes"),
        ("FAIL", "it does not tell which projects it sees"),
    ]


@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("Sat, 01 Jan 2000 00:00:00 GMT", "s behind ours"),
        ("Fri, 01 Jan 2100 00:00:00 GMT", "s ahead of ours"),
    ],
)
async def test_a_clock_that_goes_wrong_is_warned_of(serve: Serve, date: str, said: str) -> None:
    town = Town(instead={"/-/ready": web.Response(headers={"Date": date})})
    [(mark, told)] = bad(await looked(examine, town, serve))
    assert (mark, told.endswith(said)) == ("warn", True)
