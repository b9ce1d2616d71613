"""Every mistake that could be made in an alert is noticed by a test of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.demo.binaries import Binaries
from tests.rules import killing, ruleset
from tests.rules.killing import Verdict
from tests.rules.mutation import Mistake, Mutant, mutants

EVERY = ruleset.load()
ALERTS = {str(alert): alert for alert in EVERY.alerts}
MUTANTS = {name: mutants(alert, killing.step(EVERY, alert)) for name, alert in ALERTS.items()}
EQUIVALENT = {  # what no test can notice: alert -> change -> the reason
    name: {each["change"]: each["reason"] for each in listed}
    for name, listed in (ruleset.read(ruleset.EQUIVALENT) or {}).items()
}
EACH = 25  # one mutant in so many is tested each time
ALL = [(name, mutant) for name, each in MUTANTS.items() for mutant in each]
SAMPLE = {"ProjectDown": MUTANTS["ProjectDown"]} | {
    name: [mutant] for name, mutant in ALL[::EACH] if name != "ProjectDown"
}


def _survivors_are_listed(
    tools: Binaries, name: str, chosen: Sequence[Mutant], folder: Path
) -> None:
    verdicts = killing.judge(tools.promtool, EVERY, ALERTS[name], chosen, folder)
    survived = {each for each, verdict in verdicts.items() if verdict is Verdict.SURVIVED}
    listed = EQUIVALENT.get(name, {}).keys() & verdicts.keys()
    assert not survived - listed, "\n".join(["no test notices", *sorted(survived - listed)])
    assert not listed - survived, "\n".join(["listed, but noticed", *sorted(listed - survived)])


@pytest.mark.parametrize("name", SAMPLE)
def test_the_tests_notice_a_sample_of_the_mutants(
    tools: Binaries, name: str, tmp_path: Path
) -> None:
    _survivors_are_listed(tools, name, SAMPLE[name], tmp_path)


@pytest.mark.long
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("name", ALERTS)
def test_the_tests_notice_every_mutant(tools: Binaries, name: str, tmp_path: Path) -> None:
    assert killing.complaint(tools.promtool, EVERY, ALERTS[name], tmp_path) == ""
    _survivors_are_listed(tools, name, MUTANTS[name], tmp_path)


def test_there_are_mutants_of_every_kind(tools: Binaries, tmp_path: Path) -> None:
    accepted = killing.accepted(tools.promtool, [mutant for _, mutant in ALL], tmp_path)
    counted = Counter(mutant.mistake for mutant in accepted)
    assert set(counted) == set(Mistake), counted
    assert len(accepted) > len(ALL) * 0.9, "too many are refused to say much"


def test_no_two_mutants_of_an_alert_have_one_name() -> None:
    assert len(ALERTS) == len(EVERY.alerts)
    names = Counter((name, str(mutant)) for name, mutant in ALL)
    assert [name for name, count in names.items() if count > 1] == []


def test_a_matcher_is_changed_once_also_within_a_range(tools: Binaries, tmp_path: Path) -> None:
    expr = 'rate(exporter_probes_total{endpoint="health",job!="x"}[5m] offset 1m) > 0'
    alert = replace(EVERY.alerts[0], expr=expr)
    found = [each for each in mutants(alert, alert.interval) if each.mistake is Mistake.MATCHER]
    assert [each.rule.expr.replace("((", "(").replace("))", ")") for each in found] == [
        expr.replace('"health"', '"health_"')
    ]
    assert killing.accepted(tools.promtool, found, tmp_path) == found


def test_whatever_is_listed_as_equivalent_is_a_mutant_and_has_its_reason() -> None:
    there = {(name, str(mutant)) for name, mutant in ALL}
    listed = {(name, change) for name, each in EQUIVALENT.items() for change in each}
    assert listed - there == set()
    assert [each for reasons in EQUIVALENT.values() for each in reasons.values() if not each] == []
