"""The pages about the rules are true: docs/rules.md, and a runbook for each alert."""

import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator import config, duration
from orchestrator.demo.binaries import Binaries
from orchestrator.metrics import METRICS, Status
from tests.rules import promql, ruleset
from tests.rules.known import Known
from tests.rules.ruleset import Rule

DOCS = ruleset.ROOT / "docs"
POSTED = {"ApprovalRequired", "EscalationRequired", "FleetDown"}  # by the webhook, by no rule
EVERY = sorted((DOCS / "runbooks").glob("*.md"))
RUNBOOKS = [page for page in EVERY if page.stem not in POSTED]
PAGE = DOCS / "rules.md"
WHOLE = ruleset.load()
ALERTS = {rule.name: rule for rule in WHOLE.alerts}  # one of those that share a name
KNOWN = Known(WHOLE.records)
PARTS = [
    "**What it means.**",
    "**What the orchestrator does by itself.**",
    "**How to look.**",
    "**How to fix.**",
    "**How to silence.**",
]
MAINTENANCE = "orchestrator_project_maintenance"
OURS = re.compile(
    r"\b(?:(?:project|exporter|webhook|claude|analyzer|agent|tasks?)(?:_|:\w+:)\w+"
    r"|project:\w+:\w+|orchestrator_\w+)"
)
COMMANDS = ("curl ", "orchestrator ", "python ")

runbooks = pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
every = pytest.mark.parametrize("page", EVERY, ids=lambda page: page.stem)


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _spans(page: Path) -> list[str]:
    """Return what stands between backticks, the blocks left out."""
    prose = re.sub(r"(?ms)^ *```.*?^ *```$", "", _text(page))
    return re.findall(r"`([^`]+)`", prose)


def _planned(rule: Rule) -> bool:
    """Tell whether *rule* reads a metric that no program exports, so that it cannot fire."""
    read = [KNOWN.metric(each.name) for each in promql.selectors(promql.parse(rule.expr))]
    return any(
        metric.status is Status.PLANNED for metric in read if metric and metric.name != MAINTENANCE
    )


def _rows(page: Path) -> list[list[str]]:
    lines = [line for line in _text(page).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def _blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", _text(page))


def test_every_alert_has_its_runbook_and_no_runbook_is_without_an_alert() -> None:
    assert sorted(page.stem for page in EVERY) == sorted({*ALERTS, *POSTED})
    urls = [rule.annotations["runbook_url"] for rule in WHOLE.alerts]
    assert [url for url in urls if not (ruleset.ROOT / url).exists()] == []


@every
def test_a_runbook_has_its_five_parts_in_their_order(page: Path) -> None:
    assert _text(page).startswith(f"# {page.stem}\n\n{PARTS[0]} ")
    assert re.findall(r"(?m)^\*\*.*?\*\*", _text(page)) == PARTS


@runbooks
def test_a_runbook_says_whether_the_alert_can_fire_today(page: Path) -> None:
    said = "so this alert cannot fire today" in " ".join(_text(page).split())
    assert said == _planned(ALERTS[page.stem])


@every
def test_a_runbook_names_no_metric_that_there_is_not(page: Path) -> None:
    named = set(OURS.findall(_text(page)))
    records = {rule.name for rule in WHOLE.records}
    assert [
        name for name in sorted(named - METRICS.keys() - records) if not KNOWN.metric(name)
    ] == []


@runbooks
def test_a_runbook_names_the_metrics_that_its_alert_reads(page: Path) -> None:
    read = {each.name for each in promql.selectors(promql.parse(ALERTS[page.stem].expr))}
    assert [name for name in sorted(read - {MAINTENANCE}) if name not in _text(page)] == []


@every
def test_every_query_of_a_runbook_is_one_with_labels_that_there_are(page: Path) -> None:
    queries = [
        each
        for each in _spans(page)
        if not each.startswith(COMMANDS) and (OURS.search(each) or re.search(r"\w[({]", each))
    ]
    wrong = [
        (query, matcher.label)
        for query in queries
        for read in promql.selectors(promql.parse(query))
        for matcher in read.matchers
        if (labels := KNOWN.labels(read.name)) and not any(matcher.label in each for each in labels)
    ]
    assert wrong == []


@runbooks
def test_a_runbook_sends_to_the_file_that_its_alert_is_in(page: Path) -> None:
    named = set(re.findall(r"in `rules/(\w+\.yml)`", " ".join(_text(page).split())))
    assert named <= {ALERTS[page.stem].file}


@runbooks
def test_a_runbook_silences_its_own_alert_by_labels_that_it_has_and_with_an_end(page: Path) -> None:
    if page.stem == "Watchdog":
        assert "Do not" in _text(page).partition(PARTS[-1])[2]  # a silence sets the switch off
        return
    rule = ALERTS[page.stem]
    [command] = re.findall(r"amtool silence add (.*?)\n```", _text(page), re.DOTALL)
    matchers = dict(re.findall(r" ([a-z]+)=(\S+)", command))
    made = {
        label for each in promql.results(promql.parse(rule.expr), KNOWN.labels) for label in each
    }
    assert re.search(r"--duration=\d+[hd] ", command)
    assert matchers.pop("alertname") == page.stem
    assert matchers.keys() <= made | rule.labels.keys()


@pytest.mark.parametrize("page", [PAGE, *EVERY], ids=lambda page: page.stem)
def test_every_link_to_a_heading_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]*)#([^)]+)\)", _text(page))
    lost = [
        (file, anchor)
        for file, anchor in links
        if anchor not in _anchors(page.parent / file if file else page)
    ]
    assert lost == []


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"(?m)^#+ (.+)$", _text(page))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_table_of_alerts_is_that_of_the_rules() -> None:
    shown = {
        (name, row[2], row[3], row[4])
        for row in _rows(PAGE)
        for name in re.findall(r"^\[(\w+)\]\(runbooks/\1\.md\)$", row[0])
    }
    assert shown == {
        (
            rule.name,
            rule.hold or "at once",
            rule.labels["severity"],
            "yes" if rule.labels.get("remediate") == "true" else "no",
        )
        for rule in WHOLE.alerts
    }


def test_the_table_of_alerts_is_in_the_order_of_the_files() -> None:
    places = [re.sub(r"^\[|\].*|\*\*", "", row[0]) for row in _rows(PAGE) if len(row) == 5]
    shown: dict[str, list[str]] = {}
    file = ""
    for place in places[1:]:
        file = place if place.endswith(".yml") else file
        shown.setdefault(file, []).extend([place] * (place != file))
    rest = {name: sorted(each) for name, each in shown.items()}
    assert rest == {
        file: sorted({rule.name for rule in WHOLE.alerts if rule.file == file})
        for file in WHOLE.loaded
        if any(rule.file == file for rule in WHOLE.alerts)
    }


def test_the_table_of_alerts_says_which_cannot_fire_yet() -> None:
    said = {
        re.sub(r"^\[|\].*", "", row[0])
        for row in _rows(PAGE)
        if len(row) == 5 and row[1].endswith("; not yet")
    }
    assert said == {rule.name for rule in WHOLE.alerts if _planned(rule)}


def test_the_table_of_files_names_all_that_are_loaded() -> None:
    shown = re.findall(r"(?m)^\| \[\w+\.yml\]\(\.\./rules/(\w+\.yml)\)", _text(PAGE))
    assert sorted(shown) == sorted(WHOLE.loaded)


def test_every_record_is_in_the_table_with_its_interval() -> None:
    shown = {
        (name, duration.parse(re.sub(r" |in\b", "", row[1])))
        for row in _rows(PAGE)
        for name in re.findall(r"`(project:[\w:]+)`", row[0])
    }
    assert shown == {(rule.name, rule.interval) for rule in WHOLE.records}


def test_the_page_names_no_metric_that_there_is_not() -> None:
    example = config.load(ruleset.ROOT / "orchestrator.example.yml")
    own = {f"project_{gauge.name}" for each in example.projects.values() for gauge in each.metrics}
    known = own | METRICS.keys() | {rule.name for rule in WHOLE.records}
    assert [name for name in OURS.findall(_text(PAGE)) if name not in known] == []


def test_the_figures_of_the_error_budgets_are_right() -> None:
    rows = [row for row in _rows(PAGE) if len(row) == 6 and re.match(r"\d+ [hd] and", row[1])]
    shown = [(row[1].split(" and ")[0], float(row[2]), row[3], row[4], row[5]) for row in rows]
    assert shown == [
        (
            window,
            burn,
            f"{burn * duration.parse(window.replace(' ', '')) / timedelta(days=30):.0%}".replace(
                "%", " %"
            ),
            _spoken(burn * duration.parse(window.replace(" ", "")) * 0.01),
            _spoken(burn * duration.parse(window.replace(" ", "")) * 0.001),
        )
        for window, burn in (("1 h", 14.4), ("6 h", 6), ("1 d", 3), ("3 d", 1))
    ]


def _spoken(length: timedelta) -> str:
    minutes, seconds = divmod(round(length.total_seconds()), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def test_the_rule_of_your_own_and_its_test_are_accepted(tools: Binaries, tmp_path: Path) -> None:
    for block in _blocks(PAGE, "yaml"):
        name = block.splitlines()[0].removeprefix("# ")
        (tmp_path / name).write_text(block, encoding="utf-8")
    for arguments in (
        ["check", "rules", "--lint=all", "--lint-fatal", "mine.yml"],
        ["test", "rules", "mine-test.yml"],
    ):
        command = [str(tools.promtool.absolute()), *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"promtool {' '.join(arguments)}\n" in _text(PAGE)
