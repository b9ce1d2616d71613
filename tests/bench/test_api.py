"""What the benchmark of the API asks, of what, and how it judges the answers."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestrator import clock
from tests.bench import api_fill
from tests.bench.api import Answered, main, rows
from tests.bench.api_asked import EXCEPT, questions
from tests.bench.api_fill import Size
from tests.webhook.make import NOW
from webhook import chain
from webhook.api import TABLES
from webhook.incident import downtime
from webhook.store import stories, trail
from webhook.store.database import connect
from webhook.store.stories import Wanted

SMALL = Size(incidents=100, events=1_000, audit=50)
QUICK = Answered(
    what="incidents",
    route="/api/v1/incidents",
    p50=0.01,
    p95=0.0999,
    slowest=2.0,
    bytes=2_500,
    statuses={200: 100},
)


def test_every_route_that_reads_is_asked_or_left_out_with_a_reason() -> None:
    reading = {each.path for table in TABLES for each in table.operations if each.method == "GET"}
    asked = {each.route for each in questions(SMALL, NOW)}
    assert (reading - asked - EXCEPT.keys(), asked & EXCEPT.keys()) == (set(), set())


def test_a_question_is_of_its_route_and_the_same_each_time() -> None:
    for each in questions(SMALL, NOW):
        paths = [each.ask(random.Random(1)) for _ in range(2)]  # noqa: S311  not for secrets
        assert (paths[0] == paths[1], paths[0].startswith(each.route.split("{")[0])) == (True, True)


def test_the_database_is_one_that_the_webhook_could_have_made(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    api_fill.made(str(path), SMALL, clock.now())
    db = connect(path)
    tables = ("incidents", "events", "audit", "sayings", "episodes", "actions")
    count = "SELECT count(*) FROM "
    many = {name: db.execute(count + name).fetchone()[0] for name in tables}
    assert many == {
        "incidents": 100,
        "events": 1_000,
        "audit": 50,
        "sayings": 100,
        "episodes": 200,
        "actions": 200,
    }
    assert chain.first_broken(trail.stream(db)) is None
    [found] = stories.page(db, Wanted(found='"node 42"'), before=None, limit=9)
    assert (found.incident.id, downtime(found.episodes)) == (42, api_fill.LASTS)
    db.close()


@pytest.mark.parametrize(
    ("answered", "holds"),
    [
        (QUICK, True),
        (replace(QUICK, p95=0.1), False),
        (replace(QUICK, statuses={200: 99, 503: 1}), False),
        (replace(QUICK, statuses={}), False),
    ],
)
def test_an_answer_has_to_be_quick_and_to_be_one(answered: Answered, *, holds: bool) -> None:
    assert answered.holds is holds


def test_the_table_shows_milliseconds() -> None:
    assert list(rows([QUICK]))[1] == (
        *("incidents", "`/api/v1/incidents`", "10.0", "99.9", "2000.0", "2.5"),
    )


@pytest.mark.long
def test_it_runs_and_writes_what_it_found(tmp_path: Path) -> None:
    path = tmp_path / "api.json"
    given = ["--incidents", "100", "--events", "1000", "--audit", "100", "--requests", "20"]
    ended = CliRunner().invoke(main, [*given, "--json", str(path)])
    assert (ended.exit_code in (0, 1), path.exists()) == (True, True), ended.output
