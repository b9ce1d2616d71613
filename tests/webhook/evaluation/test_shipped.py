"""What docs/evaluation.md says of the rules is what they reach, and it is good enough."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from webhook.evaluation import baseline, run, scoring, table, trial
from webhook.evaluation.scenario import Scenario, Split
from webhook.evaluation.scoring import Score, Trial

ROOT = Path(__file__).parents[3]
SCENARIOS = run.load(ROOT / "tests" / "scenarios")
HELDOUT = [each for each in SCENARIOS if each.split is Split.HELDOUT]


@cache
def _trials() -> Mapping[str, Sequence[Trial]]:
    """Try every analyzer on every scenario; the evidence takes seconds, so it is made once."""
    packs = [(each, trial.pack(each)) for each in SCENARIOS]
    return {
        name: [trial.of_rules(each, analyzer(pack)) for each, pack in packs]
        for name, analyzer in baseline.known(SCENARIOS).items()
    }


def _scores(chosen: Sequence[Scenario]) -> dict[str, Score]:
    ids = {each.id for each in chosen}
    return {
        name: scoring.score([each for each in trials if each.scenario.id in ids])
        for name, trials in _trials().items()
    }


@pytest.mark.parametrize(("name", "chosen"), [("all", SCENARIOS), ("heldout", HELDOUT)])
def test_the_table_of_the_docs_is_what_is_reached(name: str, chosen: Sequence[Scenario]) -> None:
    page = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    shown = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", page, re.DOTALL)
    assert shown is not None
    assert shown[1] == "\n".join(table.markdown(_scores(chosen)))


def test_the_rules_are_good_enough() -> None:
    assert scoring.failures(_trials()["rules"]) == ()


def test_the_rules_are_better_than_every_baseline() -> None:
    right = {name: score.action.many for name, score in _scores(HELDOUT).items()}
    assert [name for name in right if right[name] >= right["rules"]] == ["rules"]
