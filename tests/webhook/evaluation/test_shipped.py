"""What docs/evaluation.md says of the rules is what they reach, and it is good enough."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from webhook.evaluation import baseline, run, scoring, table
from webhook.evaluation.scenario import Scenario, Split

ROOT = Path(__file__).parents[3]
SCENARIOS = run.load(ROOT / "tests" / "scenarios")
HELDOUT = [each for each in SCENARIOS if each.split is Split.HELDOUT]


def _table(chosen: Sequence[Scenario]) -> str:
    analyzers = baseline.known(SCENARIOS).items()
    scores = {name: scoring.score(run.without_model(chosen, each)) for name, each in analyzers}
    return "\n".join(table.markdown(scores))


@pytest.mark.parametrize(("name", "chosen"), [("all", SCENARIOS), ("heldout", HELDOUT)])
def test_the_table_of_the_docs_is_what_is_reached(name: str, chosen: Sequence[Scenario]) -> None:
    page = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    shown = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", page, re.DOTALL)
    assert shown is not None
    assert shown[1] == _table(chosen)


def test_the_rules_are_good_enough() -> None:
    rules = baseline.known(SCENARIOS)["rules"]
    assert scoring.failures(run.without_model(SCENARIOS, rules)) == ()


def test_the_rules_are_better_than_every_baseline() -> None:
    known = baseline.known(SCENARIOS)
    right = {
        name: scoring.score(run.without_model(HELDOUT, each)).action.many
        for name, each in known.items()
    }
    assert [name for name in right if right[name] >= right["rules"]] == ["rules"]
