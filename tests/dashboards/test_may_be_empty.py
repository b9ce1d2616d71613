"""What is on the lists of what may be empty is there; the story tells whether it is empty."""

from orchestrator.metrics import METRICS
from tests.dashboards import answered, asked
from tests.dashboards.answered import Answer, Series
from tests.dashboards.may_be_empty import MAY_BE_EMPTY, UNEVEN, UNFOUND, UNNAMED, UNTOLD
from tests.dashboards.written import EVERY

TIMES = asked.times(interval=15, whole=3600, rate=60)
ASKED = [each for dashboard in EVERY.values() for each in asked.questions(dashboard, {}, TIMES)]
PLACES = {each.place.where for each in ASKED}
READ = {each.written for dashboard in EVERY.values() for each in asked.sources(dashboard, {})}
BARE = [Answer(to=each, series=(Series(labels={}, values=(1.0,)),)) for each in ASKED]


def test_every_query_that_may_be_empty_or_uneven_is_on_a_dashboard() -> None:
    assert (MAY_BE_EMPTY.keys() | UNEVEN.keys()) - PLACES == set()


def test_every_part_of_a_query_that_may_find_nothing_is_on_a_dashboard() -> None:
    assert UNFOUND.keys() - READ == set()


def test_every_label_that_may_lack_is_read_of_a_panel_or_of_marks() -> None:
    linked = [each for dashboard in EVERY.values() for each in answered.unlinked(dashboard, BARE)]
    lacks = {each.where for each in (*answered.unnamed(BARE), *linked)}
    assert UNNAMED.keys() - lacks == set()


def test_every_metric_that_may_lack_is_declared() -> None:
    assert UNTOLD.keys() - METRICS.keys() == set()
