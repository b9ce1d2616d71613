"""Lints of all rules and tests together: names, files, and what is tested."""

import fnmatch
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta

from orchestrator import duration
from tests.rules import promql
from tests.rules.ruleset import Eval, Rule, Ruleset

Lint = Callable[[Ruleset], list[str]]

GROUP_KEYS = {"name", "interval", "limit", "rules"}  # of 2.42
RULE_KEYS = {"record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
MOST_RULES, LONGEST_NAME = 20, 40
LONG, LONG_STEP = timedelta(hours=2), timedelta(minutes=5)
ALWAYS = {"Watchdog"}  # fires as long as Prometheus runs, so it has no edge and no end


def only_keys_of_both_versions(every: Ruleset) -> list[str]:
    return [
        f"{group.file}: {key} of {group.name} is refused by 2.42"
        for group in every.groups
        for key in sorted((group.keys - GROUP_KEYS) | (group.rule_keys - RULE_KEYS))
    ]


def groups_are_small(every: Ruleset) -> list[str]:
    return [
        f"{group.name} has {len(group.rules)} rules, more than {MOST_RULES}"
        for group in every.groups
        if len(group.rules) > MOST_RULES
    ]


def group_names_are_short_and_unique(every: Ruleset) -> list[str]:
    names = [group.name for group in every.groups]
    long = [f"{name} is longer than {LONGEST_NAME}" for name in names if len(name) > LONGEST_NAME]
    return long + _twice(names)


def rules_are_unique(every: Ruleset) -> list[str]:
    """Allow one name for several rules only where their labels tell them apart."""
    return _twice(f"{rule.name} {sorted(rule.labels.items())}" for rule in every.rules)


def _twice(names: Iterable[str]) -> list[str]:
    return [f"{name} is there twice" for name, count in Counter(names).items() if count > 1]


def every_file_is_loaded(every: Ruleset) -> list[str]:
    return [
        f"prometheus.yml does not load {file}"
        for file in every.files
        if not any(fnmatch.fnmatch(file, pattern) for pattern in every.loaded)
    ]


def no_pattern_is_empty(every: Ruleset) -> list[str]:
    named = [(every.folder, "prometheus.yml", pattern) for pattern in every.loaded]
    named += [
        (test.path.parent, test.path.name, pattern)
        for test in every.tests
        for pattern in test.rule_files
    ]
    return [
        f"{who} names {pattern}, which is no file"
        for folder, who, pattern in named
        if not any(path.is_file() for path in folder.glob(pattern))
    ]


def every_file_has_its_tests(every: Ruleset) -> list[str]:
    """Find the tests of `x.yml` in the test file `x.yml`, which loads it."""
    tests = {test.path.name: test for test in every.tests}
    return [
        f"no test file {file} loads {file}"
        for file in every.files
        if file not in tests or not any(_leads_to(name, file) for name in tests[file].rule_files)
    ]


def _leads_to(written: str, file: str) -> bool:
    return fnmatch.fnmatch(file, written.rpartition("/")[2])


def every_tested_alert_exists(every: Ruleset) -> list[str]:
    """Find a misspelt name, of which promtool says that it does not fire, as expected."""
    there = {rule.name for rule in every.alerts}
    return [
        f"{file.path.name}, {test.name!r}: no alert is named {name}"
        for file in every.tests
        for test in file.tests
        for name in sorted({each.alert for each in test.evals} - there)
    ]


def every_alert_fires_in_a_test(every: Ruleset) -> list[str]:
    fired = {name for name, evals in _runs(every) if any(each.fires for each in evals)}
    return [f"{rule} never fires" for rule in every.alerts if rule.name not in fired]


def every_alert_is_silent_in_a_test(every: Ruleset) -> list[str]:
    """Ask for silence before it fires, or in a test in which it never does."""
    silent = {name for name, evals in _runs(every) if not evals[0].fires}
    missing = [rule for rule in every.alerts if rule.name not in silent | ALWAYS]
    return [f"{rule} is never silent at its edge" for rule in missing]


def every_alert_ends_in_a_test(every: Ruleset) -> list[str]:
    ended = {
        name
        for name, evals in _runs(every)
        if any(
            before.fires and not after.fires and before.at < after.at
            for before in evals
            for after in evals
        )
    }
    missing = [rule for rule in every.alerts if rule.name not in ended | ALWAYS]
    return [f"{rule} never resolves" for rule in missing]


def _runs(every: Ruleset) -> list[tuple[str, list[Eval]]]:
    """Return, of each test, what it expects of each alert, in the order of time."""
    return [
        (name, [each for each in test.evals if each.alert == name])
        for file in every.tests
        for test in file.tests
        for name in sorted({each.alert for each in test.evals})
    ]


def the_production_interval_is_tested(every: Ruleset) -> list[str]:
    """Ask for a test in which it fires at the interval of its group: promtool does not heed that.

    What looks back for hours may be tested at five minutes; promtool takes 10,000 samples a series.
    """
    tested = {
        (each.alert, file.interval)
        for file in every.tests
        for test in file.tests
        for each in test.evals
        if each.fires
    }
    return [
        f"{rule} never fires in a test that evaluates every {duration.text(rule.interval)}"
        for rule in every.alerts
        if not any((rule.name, interval) in tested for interval in _good_intervals(rule))
    ]


def _good_intervals(rule: Rule) -> set[timedelta]:
    is_long = promql.lookback(promql.parse(rule.expr)) >= LONG
    return {rule.interval, LONG_STEP} if is_long else {rule.interval}


LINTS: tuple[Lint, ...] = (
    only_keys_of_both_versions,
    groups_are_small,
    group_names_are_short_and_unique,
    rules_are_unique,
    every_file_is_loaded,
    no_pattern_is_empty,
    every_file_has_its_tests,
    every_tested_alert_exists,
    every_alert_fires_in_a_test,
    every_alert_is_silent_in_a_test,
    every_alert_ends_in_a_test,
    the_production_interval_is_tested,
)
