"""Scenarios: a file is what its shape says, or every mistake in it is named."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.scenarios import writing
from tests.scenarios.cast import CAST, SPLITS
from tests.scenarios.derive import derived
from tests.scenarios.record import rounds
from tests.webhook.evaluation.make import scenario
from webhook.diagnosis import Line
from webhook.evaluation import run
from webhook.evaluation import scenario as file
from webhook.evaluation.scenario import BadScenario, Split
from webhook.evidence.item import Lack, Missing, Source
from webhook.evidence.raw import Past, Raw, Series

FOLDER = Path(__file__).parents[2] / "scenarios"

WHOLE = replace(
    scenario(injected=True),
    raw=Raw(
        labels={"severity": "warning"},
        annotations={"summary": "it: leaks"},
        series=(
            Series(
                question="memory",
                unit="ratio",
                points=((10.5, 0.4), (11.5, 0.5), (13.5, 0.7)),  # one is missing
                before=0.3,
            ),
        ),
        status={"queue_length": 3, "note": None},
        probe="down: status",
        deployed_seconds_ago=12.5,
        lines=(Line(ts="", level="error", message="a \u202e[b]: 'c'\x1b[31m"),),
        pasts=(
            Past(
                incident=7,
                opened_at=scenario().subject.asked_at,
                seconds=60.0,
                ended="resolved",
                actions=(("clear_cache", "completed"),),
            ),
        ),
        missing=(Missing(source=Source.STATUS, lack=Lack.TIMEOUT, why="no answer"),),
    ),
)


def test_a_scenario_that_is_written_reads_back_as_itself() -> None:
    assert file.read(writing.text(WHOLE)) == WHOLE


@given(st.text(max_size=60), st.floats(-1e300, 1e300))
def test_any_line_of_a_log_reads_back_as_itself(message: str, ago: float) -> None:
    short = writing.rounded(ago)
    raw = Raw(lines=(Line(ts="", level="info", message=message),), deployed_seconds_ago=short)
    made = replace(WHOLE, raw=raw)
    assert file.read(writing.text(made)) == made


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"unheard": 1}, "unheard: unknown key"),
        ({"split": "both"}, "split: input should be 'dev' or 'heldout'"),
        ({"id": "a b"}, "id: 'a b' is not a name"),
        (
            {"truth": {"category": "cpu", "acceptable": ["none"]}},
            "truth.category: input should be",
        ),
        (
            {"truth": {"category": "unknown", "acceptable": ["reboot"]}},
            "truth.acceptable[0]: 'reboot' is no action",
        ),
        ({"truth": {"category": "unknown", "acceptable": []}}, "truth.acceptable: must not be"),
        (
            {"truth": {"category": "unknown", "acceptable": ["none"], "forbidden": ["none"]}},
            "truth: none cannot be acceptable and forbidden",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(change: dict[str, object], mistake: str) -> None:
    told = {**yaml.safe_load(writing.text(WHOLE)), **change}
    with pytest.raises(BadScenario) as raised:
        file.read(yaml.safe_dump(told))
    assert str(raised.value).startswith(mistake)


@pytest.mark.parametrize("values", [[1.0] * 61, [".nan"], ["many"]])
def test_a_series_is_of_finite_figures_and_not_long(values: list[object]) -> None:
    told = yaml.safe_load(writing.text(WHOLE))
    told["raw"]["series"][0]["values"] = values
    with pytest.raises(BadScenario, match=r"raw\.series\[0\]\.values"):
        file.read(yaml.safe_dump(told))


def test_every_mistake_of_a_folder_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("id: 3\n", encoding="utf-8")
    (tmp_path / "b.yml").write_bytes(b"\xff")
    with pytest.raises(BadScenario) as raised:
        run.load(tmp_path)
    told = {line.partition(":")[0] for line in str(raised.value).splitlines()}
    assert told == {"a.yml", "b.yml"}


def test_a_folder_without_scenarios_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(BadScenario, match="no scenario is there"):
        run.load(tmp_path)


SHIPPED = run.load(FOLDER)


def test_all_of_one_family_of_faults_are_in_one_split() -> None:
    pairs = {(each.family, each.split) for each in SHIPPED}
    assert len(pairs) == len({family for family, _ in pairs})


def test_there_are_enough_scenarios_and_both_splits_have_many() -> None:
    many = [sum(each.split is split for each in SHIPPED) for split in Split]
    assert (sum(many) >= 40, min(many) >= 15) == (True, True)


def test_no_file_is_large_and_each_has_the_name_of_its_scenario() -> None:
    large = [each.name for each in FOLDER.glob("*.yml") if each.stat().st_size > 12 * 1024]
    names = sorted(each.stem for each in FOLDER.glob("*.yml"))
    assert (large, names) == ([], sorted(each.id for each in SHIPPED))


def test_no_scenario_tells_of_its_fault_by_a_word_of_the_demo() -> None:
    lines = [line.message for each in SHIPPED for line in each.raw.lines]
    assert [each for each in lines if each.startswith("fault ")] == []


def test_every_case_of_the_cast_was_recorded_with_its_truth() -> None:
    shipped = {each.id: (each.truth, each.family, each.split) for each in SHIPPED}
    cast = {each.id: (each.truth, each.family, SPLITS[each.family]) for each in CAST}
    assert {name: shipped[name] for name in cast} == cast


def test_what_is_made_of_recorded_ones_is_what_is_shipped() -> None:
    made = {each.id: writing.text(each) for each in derived({each.id: each for each in SHIPPED})}
    shipped = {name: (FOLDER / f"{name}.yml").read_text(encoding="utf-8") for name in made}
    assert shipped == made


def test_every_scenario_is_of_the_cast_or_made_of_it() -> None:
    known = {each.id for each in CAST} | {each.id for each in derived({e.id: e for e in SHIPPED})}
    assert {each.id for each in SHIPPED} == known


def test_a_round_breaks_each_project_once() -> None:
    parts = rounds(CAST)
    assert [len({each.project for each in part}) for part in parts] == [len(p) for p in parts]
    assert sorted(each.id for part in parts for each in part) == sorted(each.id for each in CAST)
