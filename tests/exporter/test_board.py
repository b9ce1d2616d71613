"""Facts in, lines out: of whom, under which labels, and until when."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from exporter.board import TOO_MANY, VERSIONS, Board, Endpoint
from exporter.page import Page, Part
from exporter.reading import Reading
from orchestrator.answer import Reason
from orchestrator.health import Probe, State
from orchestrator.project import Auth, Control, Mode, Project, Thresholds
from tests.exporter import pages

A = Project(name="a", url="http://127.0.0.1:1", control=Control(url="http://127.0.0.1:1"))
UP = Probe(state=State.HEALTHY, reason=None, seconds=0.25, version="1.4.2")
REFUSED = Probe(state=State.DOWN, reason=Reason.REFUSED, seconds=0.5)
CONFIGURED = {
    "project_slow_after_seconds": 1.0,
    "project_slo_objective_ratio": 0.99,
    'project_threshold_ratio{resource="cpu"}': 0.8,
    'project_threshold_ratio{resource="memory"}': 0.85,
    'project_threshold_ratio{resource="errors"}': 0.05,
}


def _board(*projects: Project) -> tuple[Board, Page]:
    page = Page()
    board = Board(page)
    board.take(projects)
    return board, page


def _text(page: Page) -> str:
    return b"".join(page.chunks(list(Part), openmetrics=False)).decode()


def _of(page: Page, name: str = "a") -> dict[str, float]:
    return pages.of_project(_text(page), name)


def _state(state: State) -> dict[str, float]:
    return {f'project_state{{state="{each}"}}': float(each is state) for each in State}


def test_before_its_first_verdict_a_project_has_what_is_configured_and_no_state() -> None:
    _, page = _board(A)
    assert _of(page) == {**CONFIGURED, 'project_info{mode="observe",version=""}': 1.0}


def test_a_project_that_is_up_says_so_in_every_way() -> None:
    board, page = _board(A)
    board.probed("a", (UP,))
    assert _of(page) == {
        **CONFIGURED,
        **_state(State.HEALTHY),
        "project_up": 1.0,
        "project_probe_duration_seconds": 0.25,
        'project_reads_total{endpoint="health"}': 1.0,
        'project_info{mode="observe",version="1.4.2"}': 1.0,
    }


def test_a_project_that_is_down_says_so_and_why() -> None:
    board, page = _board(A)
    board.probed("a", (REFUSED, REFUSED))
    assert _of(page) == {
        **CONFIGURED,
        **_state(State.DOWN),
        "project_up": 0.0,
        "project_probe_duration_seconds": 0.5,
        'project_probe_failures_total{reason="refused"}': 2.0,
        'project_info{mode="observe",version=""}': 1.0,
    }


@pytest.mark.parametrize("state", [State.DEGRADED, State.PAUSED])
def test_who_is_degraded_or_paused_is_up(state: State) -> None:
    board, page = _board(A)
    board.probed("a", (replace(UP, state=state),))
    shown = _of(page)
    assert (shown["project_up"], {**shown, **_state(state)}) == (1.0, shown)


def test_one_good_probe_of_two_is_up_and_the_other_is_counted() -> None:
    board, page = _board(A)
    board.probed("a", (REFUSED, UP))
    shown = _of(page)
    assert shown["project_up"] == shown['project_probe_failures_total{reason="refused"}'] == 1.0


def test_a_project_that_leaves_vanishes_whole_and_at_once() -> None:
    board, page = _board(A, replace(A, name="b"))
    board.probed("a", (REFUSED, REFUSED))
    board.read("a", Endpoint.METRICS, Reading(good=True, values={"project_own": 1.0}), until=9)
    board.read("a", Endpoint.STATUS, Reading(good=False, wrong=(Reason.BODY,)), until=9)
    board.take([replace(A, name="b")])
    assert (_of(page), "project_own" in _text(page), len(_of(page, "b"))) == ({}, False, 6)


def test_a_configuration_that_says_the_same_changes_nothing() -> None:
    board, page = _board(A)
    board.probed("a", (UP,))
    before = _text(page)
    board.take([replace(A)])
    assert _text(page) == before


def test_a_project_with_other_settings_keeps_its_verdict() -> None:
    board, page = _board(A)
    board.probed("a", (UP,))
    half = timedelta(seconds=0.5)
    limits = Thresholds(cpu=0.5)
    board.take([replace(A, mode=Mode.ACT, thresholds=limits, slow_after=half, slo=0.999)])
    shown = _of(page)
    assert shown["project_up"] == 1.0
    assert shown['project_info{mode="act",version="1.4.2"}'] == 1.0
    assert shown['project_threshold_ratio{resource="cpu"}'] == 0.5
    assert shown["project_slow_after_seconds"] == 0.5
    assert shown["project_slo_objective_ratio"] == 0.999


def test_a_project_with_other_settings_keeps_its_figures() -> None:
    board, page = _board(A)
    board.read("a", Endpoint.METRICS, Reading(good=True, values={"project_own": 1.0}), until=9)
    board.take([replace(A, mode=Mode.ACT, timeout=timedelta(seconds=9), critical=True)])
    assert _of(page)["project_own"] == 1.0


def test_other_labels_are_on_every_series_and_the_old_ones_on_none() -> None:
    board, page = _board(A)
    board.probed("a", (REFUSED, UP))
    board.read("a", Endpoint.METRICS, Reading(good=True, values={"project_own": 1.0}), until=9)
    board.take([replace(A, labels=(("client", "acme"),))])
    shown = [dict(labels) for _, labels in pages.series(_text(page)) if ("project", "a") in labels]
    assert {labels.get("client") for labels in shown} == {"acme"}


@pytest.mark.parametrize(
    "change",
    [{"url": "http://127.0.0.1:2"}, {"auth": Auth(header="Authorization", value="Bearer x")}],
)
def test_a_project_that_is_asked_elsewhere_is_a_stranger(change: dict[str, Any]) -> None:
    board, page = _board(A)
    board.probed("a", (UP,))
    board.take([replace(A, **change)])
    assert "project_up" not in _of(page)


def test_a_reading_is_shown_until_it_is_no_longer_fresh() -> None:
    board, page = _board(A)
    values = {"project_cpu_usage_ratio": 0.83}
    board.read("a", Endpoint.METRICS, Reading(good=True, values=values), until=60.0)
    board.sweep(60.0)
    still = _of(page).get("project_cpu_usage_ratio")
    board.sweep(60.1)
    assert (still, _of(page).get("project_cpu_usage_ratio")) == (0.83, None)


def test_a_bad_reading_leaves_the_good_one_until_that_is_too_old() -> None:
    board, page = _board(A)
    good = Reading(good=True, values={"project_queue_length": 3.0})
    board.read("a", Endpoint.STATUS, good, until=60.0)
    board.read("a", Endpoint.STATUS, Reading(good=False, wrong=(Reason.TIMEOUT,)), until=90.0)
    board.sweep(59.0)
    still = _of(page).get("project_queue_length")
    board.sweep(61.0)
    shown = _of(page)
    assert (still, shown.get("project_queue_length")) == (3.0, None)
    assert shown['project_read_failures_total{endpoint="status",reason="timeout"}'] == 1.0


def test_a_figure_that_a_reading_no_longer_has_ends() -> None:
    board, page = _board(A)
    first = Reading(good=True, values={"project_own": 1.0, "project_other": 2.0})
    board.read("a", Endpoint.METRICS, first, until=9)
    board.read("a", Endpoint.METRICS, replace(first, values={"project_other": 3.0}), until=9)
    shown = _of(page)
    assert (shown.get("project_own"), shown["project_other"]) == (None, 3.0)


def test_the_readings_of_one_endpoint_leave_those_of_another() -> None:
    board, page = _board(A)
    board.read("a", Endpoint.METRICS, Reading(good=True, values={"project_own": 1.0}), until=9)
    board.read("a", Endpoint.STATUS, Reading(good=True, values={}), until=99)
    board.sweep(8)
    assert _of(page)["project_own"] == 1.0


def test_versions_without_end_become_one_series() -> None:
    board, page = _board(A)
    seen = set()
    for number in range(100):
        board.probed("a", (replace(UP, version=f"1.0.{number}"),))
        seen |= {each for each in _of(page) if each.startswith("project_info")}
    assert (len(seen), f'project_info{{mode="observe",version="{TOO_MANY}"}}' in seen) == (
        VERSIONS + 1,
        True,
    )
