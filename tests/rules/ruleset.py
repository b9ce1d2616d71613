"""What is written in rules/, and in the promtool tests beside this file, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from orchestrator import duration

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules"
TESTS = Path(__file__).parent
OTHERS = {"prometheus.yml", "alertmanager.yml"}  # in rules/, and no rules
EQUIVALENT = TESTS / "equivalent.yml"  # beside the tests, and none


class Kind(StrEnum):
    """What a rule makes."""

    ALERT = "alert"
    RECORD = "record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. `hold` is its `for`; both times are as written, None where there is none."""

    file: str
    group: str
    interval: timedelta
    kind: Kind
    name: str
    expr: str
    hold: str | None = None
    keep_firing_for: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}-{self.labels['resource']}" if "resource" in self.labels else self.name

    @property
    def is_about_a_project(self) -> bool:
        """Whether it is an alert about one of the projects, not about ourselves."""
        return self.kind is Kind.ALERT and self.name.startswith("Project")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules that are evaluated together, with every key that their file has for it."""

    file: str
    name: str
    keys: frozenset[str]
    rule_keys: frozenset[str]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Eval:
    """One look of a test at one alert: whether it expects any to fire."""

    at: timedelta
    alert: str
    fires: bool


@dataclass(frozen=True, slots=True)
class Test:
    """One test of a file, and all that is written in it."""

    name: str
    evals: tuple[Eval, ...]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TestFile:
    """One file for `promtool test rules`, and all that is written in it."""

    path: Path
    rule_files: tuple[str, ...]
    interval: timedelta
    tests: tuple[Test, ...]
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All of it. `files` are the rule files there are, `loaded` what prometheus.yml names."""

    folder: Path
    files: tuple[str, ...]
    loaded: tuple[str, ...]
    groups: tuple[Group, ...]
    tests: tuple[TestFile, ...]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule, in the order in which it is written."""
        return tuple(rule for group in self.groups for rule in group.rules)

    @property
    def alerts(self) -> tuple[Rule, ...]:
        """Every rule that alerts."""
        return tuple(rule for rule in self.rules if rule.kind is Kind.ALERT)

    @property
    def records(self) -> tuple[Rule, ...]:
        """Every rule that records."""
        return tuple(rule for rule in self.rules if rule.kind is Kind.RECORD)


def read(path: Path) -> Any:  # noqa: ANN401  any YAML
    """Return what a file of YAML says."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rule_files() -> list[Path]:
    """Return the files in rules/ that hold rules."""
    return sorted(path for path in RULES.glob("*.yml") if path.name not in OTHERS)


def test_files() -> list[Path]:
    """Return the files here that are for promtool."""
    return sorted(path for path in TESTS.glob("*.yml") if path != EQUIVALENT)


def load() -> Ruleset:
    """Read all of rules/ and of its tests."""
    config = read(RULES / "prometheus.yml")
    usual = config["global"]["evaluation_interval"]
    return Ruleset(
        folder=RULES,
        files=tuple(path.name for path in rule_files()),
        loaded=tuple(config["rule_files"]),
        groups=tuple(
            _group(path.name, each, usual) for path in rule_files() for each in read(path)["groups"]
        ),
        tests=tuple(_test_file(path) for path in test_files()),
    )


def _group(file: str, raw: Mapping[str, Any], usual: str) -> Group:
    interval = duration.parse(raw.get("interval", usual))
    return Group(
        file=file,
        name=raw["name"],
        keys=frozenset(raw),
        rule_keys=frozenset(key for rule in raw["rules"] for key in rule),
        rules=tuple(_rule(file, raw["name"], interval, each) for each in raw["rules"]),
    )


def _rule(file: str, group: str, interval: timedelta, raw: Mapping[str, Any]) -> Rule:
    kind = Kind.ALERT if "alert" in raw else Kind.RECORD
    return Rule(
        file=file,
        group=group,
        interval=interval,
        kind=kind,
        name=raw[kind],
        expr=raw["expr"],
        hold=raw.get("for"),
        keep_firing_for=raw.get("keep_firing_for"),
        labels=raw.get("labels", {}),
        annotations=raw.get("annotations", {}),
    )


def _test_file(path: Path) -> TestFile:
    # As text: what promtool reads as the series `0x9`, ten times zero, is a number to YAML.
    raw = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506  makes nothing but text
    return TestFile(
        path=path,
        rule_files=tuple(raw["rule_files"]),
        interval=duration.parse(raw["evaluation_interval"]),
        tests=tuple(_test(path, each) for each in raw["tests"]),
        raw=raw,
    )


def _test(path: Path, raw: Mapping[str, Any]) -> Test:
    evals = (
        Eval(_time(each["eval_time"]), each["alertname"], bool(each.get("exp_alerts")))
        for each in raw.get("alert_rule_test") or ()
    )
    return Test(raw.get("name", path.name), tuple(sorted(evals, key=lambda each: each.at)), raw)


def _time(text: str) -> timedelta:
    return timedelta(0) if text == "0" else duration.parse(text)  # promtool reads a bare 0, too
