"""Whether promtool's tests notice a mutant."""

import json
import re
import subprocess
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from orchestrator import duration
from tests.rules import promql
from tests.rules.mutation import Mutant, printed
from tests.rules.ruleset import Group, Kind, Rule, Ruleset, Test, TestFile

TEST, CHECK = ("test", "rules"), ("check", "rules")
VERDICT = re.compile(r"(?m)^  (?=SUCCESS|FAILED:)")  # one for each file; 3.x does not name it


class Verdict(Enum):
    """What became of a mutant; Prometheus itself refuses some of them."""

    KILLED = "killed"
    SURVIVED = "survived"
    REFUSED = "refused"


def files_of(every: Ruleset, alert: Rule) -> list[TestFile]:
    """Return the test files that look at *alert*."""
    return [
        file
        for file in every.tests
        if any(each.alert == alert.name for test in file.tests for each in test.evals)
    ]


def step(every: Ruleset, alert: Rule) -> timedelta:
    """Return the time between two evaluations of *alert* that its tests can tell apart."""
    tested = [file.interval for file in files_of(every, alert)]
    return max(alert.interval, min(tested, default=alert.interval))


def judge(
    promtool: Path, every: Ruleset, alert: Rule, mutants: Sequence[Mutant], folder: Path
) -> dict[str, Verdict]:
    """Return what becomes of each of the *mutants* of one alert, by their names.

    One test after the other, the shortest first, tries whatever has survived until then; one
    promtool, in *folder*, does it for all of them.
    """
    verdicts = {str(mutant): Verdict.SURVIVED for mutant in mutants}
    for turn, (file, test) in enumerate(_tests(every, alert)):
        alive = [each for each in mutants if verdicts[str(each)] is Verdict.SURVIVED]
        paths = {
            str(_write(every, alert, each.rule, file, test, folder / f"{turn}-{at}")): str(each)
            for at, each in enumerate(alive)
        }
        said = _run(promtool, TEST, paths) if paths else {}
        verdicts |= {name: _verdict(said[path]) for path, name in paths.items()}
    return verdicts


def complaint(promtool: Path, every: Ruleset, alert: Rule, folder: Path) -> str:
    """Return what promtool says where *alert*, reduced but not mutated, does not pass, else ""."""
    paths = [
        _write(every, alert, printed(alert), file, test, folder / f"whole-{turn}")
        for turn, (file, test) in enumerate(_tests(every, alert))
    ]
    said = _run(promtool, TEST, paths) if paths else {}
    return "".join(each for each in said.values() if _verdict(each) is not Verdict.SURVIVED)


def accepted(promtool: Path, mutants: Sequence[Mutant], folder: Path) -> list[Mutant]:
    """Return those of the *mutants*, of any alerts, that Prometheus would load."""
    paths = [folder / f"{at}.yml" for at in range(len(mutants))]
    for path, mutant in zip(paths, mutants, strict=True):
        group = {"name": "mutant", "rules": [_raw(mutant.rule)]}
        path.write_text(json.dumps({"groups": [group]}), encoding="utf-8")
    said = _run(promtool, CHECK, paths)
    pairs = zip(paths, mutants, strict=True)
    return [mutant for path, mutant in pairs if "SUCCESS" in said[str(path)]]


def _verdict(said: str) -> Verdict:
    if "/rules.yml: " in said:
        return Verdict.REFUSED
    return Verdict.KILLED if "FAILED" in said else Verdict.SURVIVED


def _run(promtool: Path, command: tuple[str, str], files: Collection[str | Path]) -> dict[str, str]:
    """Return what promtool says of each file."""
    done = subprocess.run(  # noqa: S603  a program that the user chose, no shell
        [promtool, *command, *files],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=1_200,
        check=False,
    )
    _, *said = VERDICT.split(done.stdout)
    return dict(zip(map(str, files), said, strict=True))


def _tests(every: Ruleset, alert: Rule) -> list[tuple[TestFile, Test]]:
    """Return the tests that look at *alert*, those with the fewest evaluations first."""
    found = [
        (max(evals) / file.interval, file, test)
        for file in every.tests
        for test in file.tests
        if (evals := [each.at for each in test.evals if each.alert == alert.name])
    ]
    return [(file, test) for _, file, test in sorted(found, key=lambda each: each[0])]


def _write(
    every: Ruleset, alert: Rule, instead: Rule, file: TestFile, test: Test, folder: Path
) -> Path:
    """Write *test*, of *alert* alone, and what it needs with *instead* of the alert."""
    folder.mkdir()
    loaded = {name.rpartition("/")[2] for name in file.rule_files}
    groups = _groups(every, alert, instead, loaded)
    evals = [each for each in test.raw["alert_rule_test"] if each["alertname"] == alert.name]
    kept = {key: value for key, value in test.raw.items() if key != "promql_expr_test"}
    order = {each["name"] for each in groups}
    whole = {
        **file.raw,
        "rule_files": ["rules.yml"],
        "group_eval_order": [
            each for each in file.raw.get("group_eval_order", ()) if each in order
        ],
        "tests": [{**kept, "alert_rule_test": evals}],
    }
    (folder / "rules.yml").write_text(json.dumps({"groups": groups}), encoding="utf-8")
    (folder / "tests.yml").write_text(json.dumps(whole), encoding="utf-8")
    return folder / "tests.yml"


def _groups(every: Ruleset, alert: Rule, instead: Rule, loaded: set[str]) -> list[dict[str, Any]]:
    """Return the loaded groups with *instead* of *alert*, its namesakes, and what they read."""
    alerts = [rule for rule in every.alerts if rule.name == alert.name]
    read = _read(every, alerts)
    kept = [
        (group, [rule for rule in group.rules if rule in alerts or rule.name in read])
        for group in every.groups
        if group.file in loaded
    ]
    return [_group(group, rules, {str(alert): instead}) for group, rules in kept if rules]


def _group(group: Group, rules: list[Rule], instead: dict[str, Rule]) -> dict[str, Any]:
    return {
        "name": group.name,
        "interval": duration.text(rules[0].interval),
        "rules": [_raw(instead.get(str(rule), rule)) for rule in rules],
    }


def _read(every: Ruleset, rules: Iterable[Rule]) -> set[str]:
    """Return the names that *rules* read, and what the records of those names read in turn."""
    names = {each.name for rule in rules for each in promql.selectors(promql.parse(rule.expr))}
    records = [rule for rule in every.records if rule.name in names]
    return names | (_read(every, records) if records else set())


def _raw(rule: Rule) -> dict[str, Any]:
    written = {
        rule.kind.value: rule.name,
        "expr": rule.expr,
        "for": rule.hold,
        "labels": rule.labels,
        "annotations": rule.annotations if rule.kind is Kind.ALERT else None,
    }
    return {key: value for key, value in written.items() if value}
