"""The board as a page: every family declared, each in one part, and exact to the letter."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric as Family

from exporter.exposition import Health, Resources, registry
from exporter.schedule import Board
from orchestrator.health import Probe, Reason, State
from orchestrator.metrics import METRICS, Status
from orchestrator.project import Control, Project


def _project(name: str) -> Project:
    return Project(
        name=name,
        url="http://127.0.0.1:1",
        control=Control(url="http://127.0.0.1:1"),
        health_interval=timedelta(seconds=1),
    )


SOUND, ILL, PAUSED = map(_project, ("email-blast", "chatbot", "social-media"))


def _board() -> Board:
    board = Board()
    for project, state, reason, seconds in (
        (SOUND, State.HEALTHY, None, 0.25),
        (ILL, State.DOWN, Reason.REFUSED, 0.5),
        (ILL, State.DOWN, Reason.TIMEOUT, 2.0),
        (PAUSED, State.PAUSED, None, 0.125),
        (PAUSED, State.PAUSED, None, 0.125),
    ):
        made = Probe(state=state, reason=reason, seconds=seconds)
        board.verdicts[project] = board.note(project, made)
    return board


def _health(board: Board) -> CollectorRegistry:
    return registry(Health(board))


def _resources(board: Board) -> CollectorRegistry:
    return registry(Resources(board, version="1.2.3", projects=lambda: 4))


HEALTH = """\
# HELP project_up Whether the project answers for itself.
# TYPE project_up gauge
project_up{project="email-blast"} 1.0
project_up{project="chatbot"} 0.0
project_up{project="social-media"} 1.0
"""
RESOURCES = """\
# HELP project_probe_duration_seconds How long the last health probe took.
# TYPE project_probe_duration_seconds gauge
project_probe_duration_seconds{project="email-blast"} 0.25
project_probe_duration_seconds{project="chatbot"} 2.0
project_probe_duration_seconds{project="social-media"} 0.125
# HELP project_reads_total Good answers read from an endpoint of the project.
# TYPE project_reads_total counter
project_reads_total{endpoint="health",project="email-blast"} 1.0
project_reads_total{endpoint="health",project="social-media"} 2.0
# HELP project_probe_failures_total Health probes that failed, by what went wrong.
# TYPE project_probe_failures_total counter
project_probe_failures_total{project="chatbot",reason="refused"} 1.0
project_probe_failures_total{project="chatbot",reason="timeout"} 1.0
# HELP exporter_projects Projects that are configured.
# TYPE exporter_projects gauge
exporter_projects 4.0
# HELP exporter_build_info Constant 1, with the running version.
# TYPE exporter_build_info gauge
exporter_build_info{version="1.2.3"} 1.0
"""


def test_health_is_whether_each_project_is_up() -> None:
    assert generate_latest(_health(_board())).decode() == HEALTH


def test_resources_are_all_the_rest() -> None:
    assert generate_latest(_resources(_board())).decode() == RESOURCES


def test_before_the_first_verdict_no_project_has_a_series() -> None:
    assert generate_latest(_health(Board())).decode() == "".join(
        HEALTH.splitlines(keepends=True)[:2]
    )


def _families(*parts: CollectorRegistry) -> list[Family]:
    return [family for part in parts for family in part.collect()]


def test_no_family_is_in_both_parts() -> None:
    health, resources = (
        {family.name for family in _families(part)}
        for part in (_health(_board()), _resources(_board()))
    )
    assert health & resources == set()


def _page_name(family: Family) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def test_what_is_exported_is_what_is_declared() -> None:
    declared = {
        name: (str(each.kind), each.help)
        for name, each in METRICS.items()
        if each.program == "exporter" and each.status is Status.EXPORTED
    }
    exported = {
        _page_name(family): (family.type, family.documentation)
        for family in _families(_health(_board()), _resources(_board()))
    }
    assert exported == declared


@pytest.mark.parametrize("part", [_health, _resources])
def test_every_series_has_the_labels_that_are_declared(
    part: Callable[[Board], CollectorRegistry],
) -> None:
    samples = [sample for family in _families(part(_board())) for sample in family.samples]
    assert {sample.name: sorted(sample.labels) for sample in samples} == {
        sample.name: sorted(METRICS[sample.name].labels) for sample in samples
    }


def test_a_page_follows_the_board() -> None:
    board = Board()
    page = _health(board)
    made = Probe(state=State.DEGRADED, reason=None, seconds=0.1)
    board.verdicts[SOUND] = made
    assert page.get_sample_value("project_up", {"project": "email-blast"}) == 1.0
