"""What Grafana asks: every choice and every time is in its place."""

import re

import pytest

from tests.dashboards import asked
from tests.dashboards.asked import MARK, Lookup, Place, Question, Source
from tests.dashboards.written import EVERY, Json

EACH = pytest.mark.parametrize("dashboard", EVERY.values(), ids=list(EVERY))
TIMES = asked.times(interval=15, whole=3600, rate=60)
ONE: Json = {  # a variable of many values, one of one at a time that depends on it, and no query
    "templating": {
        "list": [
            {"name": "client", "type": "query", "includeAll": True, "allValue": ".*",
             "query": {"query": "label_values(project_info, client)"}},
            {"name": "project", "type": "query", "includeAll": False,
             "query": {"query": 'label_values(project_info{client=~"$client"}, project)'}},
            {"name": "instance", "type": "query", "includeAll": True, "allValue": ".+",
             "query": {"query": 'label_values(up{project="$project"}, instance)'}},
            {"name": "webhook", "type": "constant", "query": "http://127.0.0.1:4001"},
        ]
    },
    "uid": "one",
    "panels": [
        {"id": 3, "type": "timeseries", "title": "Ups", "targets": [
            {"refId": "A", "format": "time_series", "instant": False, "legendFormat": "{{job}}",
             "expr": 'rate(up{project="$project"}[$__rate_interval])'}]},
        {"id": 4, "type": "table", "title": "All", "targets": [
            {"refId": "B", "format": "table", "instant": True, "legendFormat": "__auto",
             "expr": 'max_over_time(up{client=~"${client:regex}"}[$__range])'}]},
    ],
    "annotations": {"list": [
        {"name": "Starts", "titleFormat": "{{job}}", "textFormat": "",
         "target": {"expr": 'changes(up{project=~"$project"}[$__interval]) > 0'}}]},
}  # fmt: skip
FOUND = {"client": ["acme", "bolt"], "project": ["chatbot", "email-blast"]}


def _of(project: str) -> list[Question]:
    chosen = f".* {project} .+"
    ups = Place(uid="one", at=3, letter="A", title="Ups")
    every = Place(uid="one", at=4, letter="B", title="All")
    starts = Place(uid="one", at="Starts", letter=MARK, title="Starts")
    rate = f'rate(up{{project="{project}"}}[60s])'
    most = 'max_over_time(up{client=~".*"}[3600s])'
    changes = f'changes(up{{project=~"{project}"}}[15s]) > 0'
    return [
        Question(place=ups, expr=rate, is_instant=False, told=("{{job}}",), chosen=chosen),
        Question(place=every, expr=most, is_instant=True, told=(), chosen=chosen),
        Question(place=starts, expr=changes, is_instant=False, told=("{{job}}", ""), chosen=chosen),
    ]


def test_all_is_asked_of_what_may_be_many_and_each_of_what_is_one_at_a_time() -> None:
    asks = list(asked.questions(ONE, FOUND, TIMES))
    assert asks == [*_of("chatbot"), *_of("email-blast")]


def test_a_variable_without_a_value_matches_any() -> None:
    assert asked.choices(ONE, {}) == [{"client": ".*", "project": ".+", "instance": ".+"}]


def test_a_variable_is_looked_up_with_what_can_be_chosen_before_it() -> None:
    assert [asked.looked_up(ONE, name, FOUND) for name in ("project", "instance", "webhook")] == [
        Lookup(selector='project_info{client=~".*"}', label="project"),
        Lookup(selector='up{project="chatbot"}', label="instance"),
        None,
    ]


def test_a_variable_that_there_is_not_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="projekt"):
        asked.put_in('up{project="$projekt"}', {"project": "chatbot"})


def test_each_part_of_a_query_is_read_with_every_choice_and_without_its_time() -> None:
    dead = r'up{job="a\\.b"} offset 5m or sum_over_time(down{project!~"$project|"}[$__range])'
    panel = ONE["panels"][0] | {"targets": [{"refId": "C", "expr": dead}]}
    one = ONE | {"panels": [panel], "annotations": {"list": []}}
    place = Place(uid="one", at=3, letter="C", title="Ups")
    up, down = r'up{job="a\\.b"}', 'down{project!~"%s|"}'
    projects = tuple(down % each for each in FOUND["project"])
    assert list(asked.sources(one, FOUND)) == [
        Source(place=place, written=up, selectors=(up, up)),
        Source(place=place, written=down % "$project", selectors=projects),
    ]


@EACH
def test_nothing_of_a_dashboard_of_ours_is_left_to_be_filled_in(dashboard: Json) -> None:
    asks = list(asked.questions(dashboard, FOUND, TIMES))
    assert asks
    assert [each.expr for each in asks if re.search(r"\$(?!\d)", each.expr)] == []
