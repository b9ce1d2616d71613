"""Whatever is told of projects, in whatever order, both formats parse and lose nothing of it."""

import json
from collections.abc import Callable, Mapping

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.board import Board, Endpoint
from exporter.page import Page, Part
from exporter.reading import Reading, of_metrics
from orchestrator import gauge
from orchestrator.answer import Answer, Reason
from orchestrator.config import decode
from orchestrator.health import Probe, State, judge
from orchestrator.project import Control, Labels, Project
from orchestrator.written import LABEL_LIMIT
from tests.exporter import pages

NAMES = ("a", "b", "a-b")
PARTS = list(Part)
FRESH = 100.0  # until when every reading is
QUICK = settings(max_examples=150, derandomize=True, deadline=None)
LONG = settings(max_examples=3000, deadline=None)
FEW = settings(max_examples=30, deadline=None)
GAUGES = tuple(gauge.gauge(name, name) for name in ("rate", "cost"))

_nasty = st.sampled_from(
    ['"', "\\", "\\n", '\\"', "}", "{", ",", "=", " ", "#", "# EOF", "é", "\U0001f600"]
)
_any_text = st.lists(_nasty | st.text(max_size=4), max_size=8).map("".join)
_printable = _any_text.map(lambda text: "".join(filter(str.isprintable, text))[:LABEL_LIMIT])
_label_names = st.sampled_from(["team", "_", "A9", "tier", "a"])
_figures = st.one_of(st.integers(), st.floats(), st.just(-0.0), st.booleans(), st.none())


def _labelled(values: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(_label_names, values, max_size=3)


Step = Callable[[Board], None]


def _probed(name: str, version: object) -> Step:
    body = json.dumps({"status": "healthy", "version": version}).encode()
    probe = judge(Answer(reason=None, body=body), slow_after=1)
    return lambda board: board.probed(name, (probe,))


def _lost(name: str, reason: Reason) -> Step:
    probe = Probe(state=State.DOWN, reason=reason, seconds=0.1)
    return lambda board: board.probed(name, (probe, probe))


def _read(name: str, figures: Mapping[str, object]) -> Step:
    answer = Answer(reason=None, body=json.dumps(figures).encode())
    reading = of_metrics(answer, GAUGES)
    return lambda board: board.read(name, Endpoint.METRICS, reading, until=FRESH)


def _status(name: str, reason: Reason, length: float) -> Step:
    reading = Reading(good=True, values={"project_queue_length": length}, wrong=(reason,))
    return lambda board: board.read(name, Endpoint.STATUS, reading, until=FRESH)


def _swept(now: float) -> Step:
    return lambda board: board.sweep(now)


def _taken(labels: Mapping[str, dict[str, str]]) -> Step:
    """Take a new configuration: all the projects with other labels."""
    return lambda board: board.take(_project(name, labels.get(name, {})) for name in NAMES)


def _project(name: str, labels: Mapping[str, str]) -> Project:
    url = f"http://{name}"
    written: Labels = tuple(sorted(labels.items()))
    return Project(name=name, url=url, control=Control(url=url), labels=written, metrics=GAUGES)


_name = st.sampled_from(NAMES)
_reason = st.sampled_from(list(Reason))
_figure_names = st.sampled_from(["rate", "cost", "cpu_percent", "requests_per_second"])
_steps = st.lists(
    st.one_of(
        st.builds(_probed, _name, _any_text | st.none() | st.integers()),
        st.builds(_probed, _name, st.from_regex(r"[0-9]\.[0-9]", fullmatch=True)),
        st.builds(_lost, _name, _reason),
        st.builds(_read, _name, st.dictionaries(_figure_names, _figures, max_size=4)),
        st.builds(_status, _name, _reason, st.floats(0, 1e12)),
        st.builds(_swept, st.sampled_from([FRESH - 1, FRESH + 1])),
        st.builds(_taken, st.dictionaries(_name, _labelled(_any_text))),
    ),
    max_size=30,
)


def _page(labels: Mapping[str, dict[str, str]], steps: list[Step]) -> Page:
    page = Page()
    board = Board(page)
    _taken(labels)(board)
    for step in steps:
        step(board)
    return page


def _text(page: Page, *, openmetrics: bool = False) -> str:
    text = b"".join(page.chunks(PARTS, openmetrics=openmetrics)).decode()
    return f"{text}# EOF\n" if openmetrics else text


def _is_sound(page: Page) -> bool:
    text, other = _text(page), _text(page, openmetrics=True)
    return pages.doubled(text) == pages.doubled(other) == [] and pages.parsed_alike(text, other)


def _labels_of(text: str, metric: str) -> dict[str, dict[str, str]]:
    """Return the labels of each project's sample of *metric*, as the library reads them."""
    found = [dict(sample.labels) for sample in pages.families(text)[metric].samples]
    return {labels.pop("project"): labels for labels in found}


@QUICK
@given(labels=st.dictionaries(_name, _labelled(_any_text)), steps=_steps)
def test_any_history_is_a_page_that_parses(
    labels: dict[str, dict[str, str]], steps: list[Step]
) -> None:
    assert _is_sound(_page(labels, steps))


OURS = {"project", "state", "reason", "endpoint", "resource", "version", "mode"}


@QUICK
@given(labels=st.dictionaries(_name, _labelled(_any_text)), steps=_steps)
def test_new_labels_are_on_every_series_at_once(
    labels: dict[str, dict[str, str]], steps: list[Step]
) -> None:
    page = _page({}, [*steps, _taken(labels)])
    found = [dict(pairs) for _, pairs in pages.series(_text(page))]
    own = [({k: v for k, v in each.items() if k not in OURS}, each["project"]) for each in found]
    assert [each for each, name in own if each != labels.get(name, {})] == []


@pytest.mark.long
@LONG
@given(labels=st.dictionaries(_name, _labelled(_any_text)), steps=_steps)
def test_any_longer_search_finds_only_pages_that_parse(
    labels: dict[str, dict[str, str]], steps: list[Step]
) -> None:
    assert _is_sound(_page(labels, steps))


@pytest.mark.long
@FEW
@given(labels=st.dictionaries(_name, _labelled(_any_text)), steps=_steps)
def test_promtool_accepts_any_history(labels: dict[str, dict[str, str]], steps: list[Step]) -> None:
    assert pages.promtool(_text(_page(labels, steps)))[0] == 0


@QUICK
@given(labels=st.dictionaries(_name, _labelled(_any_text)))
def test_a_label_s_value_comes_back_as_it_was(labels: dict[str, dict[str, str]]) -> None:
    page = _page(labels, [_probed(name, "1") for name in NAMES])
    expected = {name: labels.get(name, {}) for name in NAMES}
    assert _labels_of(_text(page), "project_up") == expected
    assert {
        sample.labels["project"]: {k: v for k, v in sample.labels.items() if k != "project"}
        for sample in pages.openmetrics_families(_text(page, openmetrics=True))[
            "project_up"
        ].samples
    } == expected


@QUICK
@given(written=_labelled(_printable.filter(bool)))
def test_a_label_of_the_configuration_comes_back_as_it_was_written(
    written: dict[str, str],
) -> None:
    entry = {"name": "a", "url": "http://a", "labels": written}
    config = decode(yaml.safe_dump({"projects": [entry]}), source="test")
    page = Page()
    board = Board(page)
    board.take(config.projects.values())
    board.probed("a", (Probe(state=State.HEALTHY, reason=None, seconds=0.1),))
    assert _labels_of(_text(page), "project_up") == {"a": written}


@QUICK
@given(version=_any_text | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}", fullmatch=True))
def test_a_version_comes_back_or_not_at_all(version: str) -> None:
    page = _page({}, [_probed("a", version)])
    told = _labels_of(_text(page), "project_info")["a"]["version"]
    assert told in {version, ""}
    assert told.isascii()


@QUICK
@given(figure=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53))
def test_a_figure_comes_back_exactly(figure: float) -> None:
    text = _text(_page({}, [_read("a", {"rate": figure})]))
    assert pages.value(text, "project_rate", project="a") == figure


@QUICK
@given(figures=st.dictionaries(_name, st.dictionaries(_figure_names, _figures, max_size=4)))
def test_a_figure_is_one_series_of_its_project_at_most(
    figures: dict[str, dict[str, object]],
) -> None:
    steps = [_read(name, each) for name, each in figures.items()]
    found = pages.series(_text(_page({}, [*steps, *reversed(steps)])))
    rates = [dict(labels)["project"] for metric, labels in found if metric == "project_rate"]
    assert len(rates) == len(set(rates))
    assert set(rates) <= figures.keys()


def test_the_check_itself_finds_a_doubled_series() -> None:
    text = 'a{b="c",d="e"} 1\na{d="e",b="c"} 2\na{d="e"} 1\n'
    assert pages.doubled(text) == [("a", (("b", "c"), ("d", "e")))]


@pytest.mark.parametrize("line", ['a{b="c} 1', 'a{b="\\x"} 1', 'a{b="c"}1', "a{b=c} 1", "é 1"])
def test_the_check_itself_refuses_what_is_no_sample(line: str) -> None:
    with pytest.raises(AssertionError):
        pages.series(f"{line}\n")


def test_interleaved_families_are_refused() -> None:
    with pytest.raises(ValueError, match="Clashing name"):
        pages.openmetrics_families(
            "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\n# EOF\n"
        )
