"""What the benchmark of the analyzer is made of, and how it judges what it found."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from orchestrator import clock
from tests.bench import analyzer_fill as fill
from tests.bench.analyzer import Found, Took, main, rows, took
from tests.bench.analyzer_fleet import lines
from tests.bench.analyzer_history import configured, samples
from tests.bench.analyzer_site import CHECKOUT
from tests.bench.api_fill import project
from tests.webhook.make import NOW
from webhook.analyst import PROMPT
from webhook.analyzer import reply
from webhook.analyzer.answer import dump
from webhook.store import analyses, pasts, verdicts
from webhook.store.database import connect

QUICK = Found(
    at_once=1,
    whole=Took(what="all of it", times=200, p50=0.1, p95=0.1999, slowest=2.0),
    parts=(),
    decisions={"auto": 200},
    heard=True,
)
PAGE = """\
# HELP project_up Whether it is up.
project_up{project="a"} 1
project_cpu_usage_ratio{project="a",} 0.5
exporter_tick_lag_seconds_count 7
"""


def test_the_database_is_one_of_which_the_analyzer_can_learn(tmp_path: Path) -> None:
    now = clock.now()
    fill.made(str(tmp_path / "x.db"), 200, now)
    db = connect(tmp_path / "x.db")
    name, of = fill.alert(200), project(200)
    record = verdicts.record(db, name, fill.PROPOSED[name], now=now)
    assert (record.good > 0, len(pasts.past(db, of, name))) == (True, 2)
    assert len(verdicts.curve(db, fill.MODEL, PROMPT, now=now).points) > 0
    fill.ask(db, 201, at=now)
    claimed = analyses.claim(db, epoch=1, at=now)
    assert claimed is not None
    about = claimed.analysis.situation
    assert (about.incident, about.alertname) == (201, fill.alert(201))
    fill.forget(db, 201, at=now)
    assert [each.incident for each in pasts.past(db, project(201), about.alertname)] == [201, 51]
    db.close()


@pytest.mark.parametrize("name", fill.ALERTS)
def test_what_the_model_answers_is_what_a_model_may_answer(name: str) -> None:
    assert reply.read(dump(fill.said(name))) == fill.said(name)


def test_a_log_is_of_200_lines_and_the_same_each_time() -> None:
    assert (lines(3, NOW), len(lines(3, NOW))) == (lines(3, NOW), 200)


def test_history_is_what_the_exporter_would_have_shown_of_the_projects() -> None:
    assert list(samples(PAGE, "exporter-health", "x:1", [0, 15])) == [
        'project_up{project="a",job="exporter-health",instance="x:1"} 1 0\n',
        'project_up{project="a",job="exporter-health",instance="x:1"} 1 15\n',
        'project_cpu_usage_ratio{project="a",job="exporter-health",instance="x:1"} 0.5 0\n',
        'project_cpu_usage_ratio{project="a",job="exporter-health",instance="x:1"} 0.500167 15\n',
    ]


def test_prometheus_has_the_rules_that_are_shipped_and_they_do_not_wait(tmp_path: Path) -> None:
    path = configured(CHECKOUT / "rules", tmp_path, "127.0.0.1:1")
    written = yaml.safe_load(path.read_text("utf-8"))
    every = [yaml.safe_load((tmp_path / name).read_text("utf-8")) for name in written["rule_files"]]
    rules = [rule for each in every for group in each["groups"] for rule in group["rules"]]
    assert fill.PROPOSED.keys() <= {rule.get("alert") for rule in rules}
    assert [rule for rule in rules if "for" in rule] == []
    assert {job["static_configs"][0]["targets"][0] for job in written["scrape_configs"]} == {
        "127.0.0.1:1"
    }


@pytest.mark.parametrize(
    ("found", "holds"),
    [
        (QUICK, True),
        (replace(QUICK, whole=replace(QUICK.whole, p95=0.2)), False),
        (replace(QUICK, heard=False), False),
    ],
)
def test_it_has_to_be_quick_and_every_gate_has_to_be_asked(found: Found, *, holds: bool) -> None:
    assert found.holds is holds


def test_the_table_shows_milliseconds() -> None:
    assert list(rows("part", [took("pack", [0.001, 0.002, 0.3])]))[1] == (
        *("pack", "3", "2.0", "300.0", "300.0"),
    )


@pytest.mark.parametrize("options", [["--analyses", "0"], ["--projects", "a"], ["--what"]])
def test_a_wrong_option_ends_with_2(options: list[str]) -> None:
    assert CliRunner().invoke(main, options).exit_code == 2
