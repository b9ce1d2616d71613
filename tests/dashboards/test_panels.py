"""Each kind of panel shows what it is given."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from dashboards import limits, state
from dashboards.limits import GRAY, GREEN, NEUTRAL, NO_COLOR, RED
from dashboards.look import About, Column, Json, Link, Look, Order, Sizes, Word, cells
from dashboards.panels import (
    Panel,
    PromTarget,
    bargauge,
    buckets,
    heatmap,
    now,
    query,
    rows,
    stat,
    state_timeline,
    table,
    timeseries,
)


def _nothing(text: str, color: str, of: str = "null+nan") -> Json:
    result = {"text": text, "color": color, "index": 99}
    return {"type": "special", "options": {"match": of, "result": result}}


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
            {"id": "noValue", "value": "-"},
            {"id": "custom.cellOptions", "value": {"type": "color-background", "mode": "basic"}},
            {
                "id": "thresholds",
                "value": {
                    "mode": "absolute",
                    "steps": [{"color": "green", "value": None}, {"color": "red", "value": 1}],
                },
            },
            {"id": "mappings", "value": [_nothing("-", NO_COLOR)]},
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
    made = state_timeline(about, [query("up")], Look(words=words)).to_json_data()
    assert made["fieldConfig"]["defaults"]["mappings"] == [
        {"type": "value", "options": {"0": {"text": "down", "color": "red", "index": 0}}},
        _nothing("nobody looks", "text", of="null"),
    ]


@pytest.mark.parametrize("make", [stat, bargauge])
@pytest.mark.parametrize("look", [Look(), Look(steps=limits.ANY), Look(words=state.WORDS)])
def test_a_figure_that_is_not_there_has_a_word_and_a_color_of_its_own(
    about: About, make: Callable[..., Panel], look: Look
) -> None:
    made = make(about, [now("up")], look).to_json_data()
    assert made["fieldConfig"]["defaults"]["mappings"][-1] == _nothing("none", GRAY)


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


def _drawn(about: About, look: Look, *queries: PromTarget) -> Json:
    custom: Json = timeseries(about, queries, look).to_json_data()["fieldConfig"]["defaults"][
        "custom"
    ]
    return custom


def test_there_is_an_area_under_a_curve_that_is_alone(about: About) -> None:
    looks = [
        _drawn(about, Look(), query("up", "up")),
        _drawn(about, Look(), query("up", "{{job}}")),
        _drawn(about, Look(), query("up", "up"), query("down", "down")),
    ]
    assert [each["fillOpacity"] for each in looks] == [8, 0, 0]


@pytest.mark.parametrize(
    ("unit", "look", "wanted"),
    [
        ("short", Look(), 1),
        ("percentunit", Look(), 0.1),
        ("currencyUSD", Look(), None),
        ("percentunit", Look(high=1), None),
        ("s", Look(soft_high=5), 5),
    ],
)
def test_an_axis_of_nothing_but_zeros_ends_where_a_value_could_be(
    about: About, unit: str, look: Look, wanted: float | None
) -> None:
    assert _drawn(replace(about, unit=unit), look, query("up"))["axisSoftMax"] == wanted


def test_single_values_are_seen_where_that_is_wanted(about: About) -> None:
    made = [
        timeseries(about, [query("up")], Look(), points=each).to_json_data()
        for each in (False, True)
    ]
    shown = [each["fieldConfig"]["defaults"]["custom"]["showPoints"] for each in made]
    assert shown == ["never", "auto"]


def test_figures_are_written_as_large_as_they_should_be(about: About) -> None:
    sizes = Sizes(name=11, value=22)
    made = [
        make(about, [now("up")], Look(), sizes=sizes).to_json_data() for make in (stat, bargauge)
    ]
    assert [each["options"]["text"] for each in made] == [{"titleSize": 11, "valueSize": 22}] * 2


def test_one_of_many_that_is_alone_keeps_its_name(about: About) -> None:
    figures = stat(about, [now("up", "{{job}}")], Look()).to_json_data()
    bars = bargauge(about, [now("up", "{{job}} {{instance}}")], Look()).to_json_data()
    assert figures["options"]["textMode"] == "value_and_name"
    name = "${__field.labels.job} ${__field.labels.instance}"
    assert bars["fieldConfig"]["defaults"]["displayName"] == name


def test_bars_of_several_queries_have_the_names_of_these(about: About) -> None:
    made = bargauge(about, [now("a", "{{job}}"), now("b", "b")], Look()).to_json_data()
    assert made["fieldConfig"]["defaults"]["displayName"] is None


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        ((), []),
        ("For", [{"desc": True, "displayName": "For"}]),
        (
            (Order("Severity", is_rising=True), Order("For")),
            [{"desc": False, "displayName": "Severity"}, {"desc": True, "displayName": "For"}],
        ),
    ],
)
def test_a_table_is_sorted_by_one_column_after_the_other(
    about: About, order: str | tuple[Order, ...], wanted: list[Json]
) -> None:
    made = table(about, [rows("up")], (Column(of="project", title="For"),), order=order)
    assert made.to_json_data()["options"]["sortBy"] == wanted


def test_what_happens_once_a_minute_is_looked_at_no_more_often(about: About) -> None:
    (asked,) = timeseries(about, [query("up", every="1m")], Look()).to_json_data()["targets"]
    assert asked.to_json_data()["interval"] == "1m"
