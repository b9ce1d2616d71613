"""Each kind of panel shows what it is given."""

from dataclasses import replace

import pytest

from dashboards import limits
from dashboards.limits import GREEN, NEUTRAL, RED
from dashboards.look import About, Column, Json, Link, Look, Word, cells
from dashboards.panels import (
    PromTarget,
    bargauge,
    buckets,
    heatmap,
    now,
    query,
    rows,
    stat,
    table,
    timeseries,
)


def _transformations(about: About, *queries: PromTarget, by: str | None = None) -> list[Json]:
    columns = (Column(of="project", title="Project"), Column(of="A", title="State", unit="short"))
    made: list[Json] = table(about, queries, columns, by=by).to_json_data()["transformations"]
    return made


def _kept_and_named(state: str) -> list[Json]:
    return [
        {"id": "filterFieldsByName", "options": {"include": {"names": ["project", state]}}},
        {
            "id": "organize",
            "options": {
                "excludeByName": {},
                "indexByName": {"project": 0, state: 1},
                "renameByName": {"project": "Project", state: "State"},
            },
        },
    ]


def test_the_value_of_the_only_query_has_no_letter(about: About) -> None:
    assert _transformations(about, rows("a")) == _kept_and_named("Value")


def test_several_queries_are_joined_and_their_values_have_letters(about: About) -> None:
    joined = {"id": "joinByField", "options": {"byField": "project", "mode": "outer"}}
    made = _transformations(about, rows("a"), rows("b"), by="project")
    assert made == [joined, *_kept_and_named("Value #A")]


def test_a_column_that_says_how_bad_it_is_is_colored() -> None:
    column = Column(of="A", title="Errors", unit="percentunit", look=Look(steps=limits.ANY))
    assert cells(column) == {
        "matcher": {"id": "byName", "options": "Errors"},
        "properties": [
            {"id": "unit", "value": "percentunit"},
            {"id": "custom.cellOptions", "value": {"type": "color-background", "mode": "basic"}},
            {
                "id": "thresholds",
                "value": {
                    "mode": "absolute",
                    "steps": [{"color": "green", "value": None}, {"color": "red", "value": 1}],
                },
            },
        ],
    }


def test_a_column_that_says_nothing_of_the_kind_is_not() -> None:
    properties = cells(Column(of="project", title="Project", width=90))["properties"]
    assert {"id": "custom.cellOptions", "value": {"type": "auto"}} in properties
    assert {"id": "custom.width", "value": 90} in properties


@pytest.mark.parametrize(
    ("look", "mode"),
    [
        (Look(steps=NEUTRAL), "value"),
        (Look(steps=limits.ANY), "background_solid"),
        (Look(words=(Word("1", "up", GREEN),)), "background_solid"),
    ],
)
def test_a_figure_is_colored_where_that_means_something(
    about: About, look: Look, mode: str
) -> None:
    assert stat(about, [now("up")], look).to_json_data()["options"]["colorMode"] == mode


def test_words_stand_in_the_place_of_values_and_of_none(about: About) -> None:
    words = (Word("0", "down", RED), Word("null", "nobody looks", "text"))
    made = stat(about, [now("up")], Look(words=words)).to_json_data()
    assert made["fieldConfig"]["defaults"]["mappings"] == [
        {"type": "value", "options": {"0": {"text": "down", "color": "red", "index": 0}}},
        {
            "type": "special",
            "options": {
                "match": "null",
                "result": {"text": "nobody looks", "color": "text", "index": 1},
            },
        },
    ]


@pytest.mark.parametrize(("steps", "mode"), [(NEUTRAL, "off"), (limits.CPU, "dashed")])
def test_a_limit_is_a_line_among_the_curves(about: About, steps: limits.Steps, mode: str) -> None:
    made = timeseries(about, [query("up")], Look(steps=steps)).to_json_data()
    assert made["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"] == {"mode": mode}


def test_a_limit_that_is_a_curve_itself_is_dashed_and_red(about: About) -> None:
    made = timeseries(about, [query("up", "limit")], Look(), limits=("limit",)).to_json_data()
    (found,) = made["fieldConfig"]["overrides"]
    assert found["matcher"] == {"id": "byName", "options": "limit"}
    assert {"id": "color", "value": {"mode": "fixed", "fixedColor": "red"}} in found["properties"]


def test_queries_get_letters_in_their_order(about: About) -> None:
    made = bargauge(about, [now("a"), now("b")], Look()).to_json_data()
    assert [(each.refId, each.expr) for each in made["targets"]] == [("A", "a"), ("B", "b")]


def test_a_link_leads_where_it_says(about: About) -> None:
    look = Look(links=(Link(title="Its page", url="/there", is_new_tab=True),))
    made = stat(about, [now("up")], look).to_json_data()
    assert made["fieldConfig"]["defaults"]["links"] == [
        {"title": "Its page", "url": "/there", "targetBlank": True}
    ]


def test_a_description_says_what_is_shown_what_is_good_and_what_to_do(about: About) -> None:
    said = "Requests a second.\n\n**Good:** Some.\n\n**Otherwise:** Ask."
    page = "\n\nRunbook: `docs/runbooks/ProjectTrafficAnomalous.md`"
    assert about.description == said + page
    assert replace(about, runbook=None).description == said


def test_a_heatmap_shows_the_buckets_in_their_unit(about: About) -> None:
    made = heatmap(about, [buckets("rate(x_bucket[1m])")], Look()).to_json_data()
    (asked,) = made["targets"]
    assert (made["options"]["yAxis"]["unit"], asked.format) == ("reqps", "heatmap")
