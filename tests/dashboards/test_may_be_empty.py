"""What is on the lists of what may be empty is there; the story tells whether it is empty."""

from orchestrator.metrics import METRICS
from tests.dashboards import asked
from tests.dashboards.may_be_empty import MAY_BE_EMPTY, UNNAMED, UNSEEN
from tests.dashboards.written import EVERY

TIMES = asked.times(interval=15, whole=3600, rate=60)
PLACES = {
    each.place.where
    for dashboard in EVERY.values()
    for each in asked.questions(dashboard, {}, TIMES)
}


def test_every_query_that_may_be_empty_is_on_a_dashboard() -> None:
    assert MAY_BE_EMPTY.keys() - PLACES == set()


def test_every_label_that_may_lack_is_of_a_panel_or_of_marks() -> None:
    assert {(uid, at) for uid, at, _ in UNNAMED} - {(uid, at) for uid, at, _ in PLACES} == set()


def test_every_metric_that_may_lack_is_declared() -> None:
    assert UNSEEN.keys() - METRICS.keys() == set()
