"""The dashboards can be found, read and followed, each alone and all of them together."""

import re
from collections import Counter
from itertools import combinations
from urllib.parse import parse_qsl, urlsplit

import pytest

from dashboards.limits import GRAY, NO_COLOR
from dashboards.look import RUNBOOKS
from tests.dashboards.written import (
    EVERY,
    Json,
    expressions,
    looks,
    marks,
    panels,
    targets,
    urls,
    used,
    variables,
    with_rows,
)
from tests.rules import ruleset

COLUMNS = 24
ROWS = 23  # of 38 pixels, on a screen of 1080, of which the browser has its part
SEEN = 20  # panels that one looks at without unfolding anything
MEANINGS = ["green", "orange", "red"]
COLORS = {*MEANINGS, "blue", "purple", "text", "yellow", GRAY, NO_COLOR}
CORE = {
    *("stat", "timeseries", "table", "bargauge", "state-timeline", "status-history", "heatmap"),
}
GIVEN = {
    *("__data", "__field", "__url_time_range"),
    *("__rate_interval", "__interval", "__interval_ms", "__range"),
}
EACH = pytest.mark.parametrize("dashboard", EVERY.values(), ids=list(EVERY))


def _twice(found: list[object]) -> list[object]:
    return [each for each, many in Counter(found).items() if many > 1]


def test_no_two_dashboards_have_a_title_in_common() -> None:
    assert _twice([each["title"] for each in EVERY.values()]) == []


@pytest.mark.parametrize("uid", EVERY)
def test_a_uid_is_one_that_grafana_takes(uid: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", uid)


@EACH
def test_no_two_panels_have_an_id_in_common(dashboard: Json) -> None:
    assert _twice([each["id"] for each in with_rows(dashboard)]) == []


@EACH
def test_no_two_panels_have_a_title_in_common(dashboard: Json) -> None:
    assert _twice([each["title"] for each in with_rows(dashboard)]) == []


@EACH
def test_no_panel_is_too_wide(dashboard: Json) -> None:
    places = [each["gridPos"] for each in with_rows(dashboard)]
    assert all(place["x"] + place["w"] <= COLUMNS for place in places)


@EACH
def test_no_two_panels_lie_over_each_other(dashboard: Json) -> None:
    folded = [row["panels"] for row in dashboard["panels"] if row["type"] == "row"]
    for together in (dashboard["panels"], *folded):
        pairs = combinations(together, 2)
        assert [(a["title"], b["title"]) for a, b in pairs if _overlap(a, b)] == []


def _overlap(one: Json, other: Json) -> bool:
    a, b = one["gridPos"], other["gridPos"]
    beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
    return not (beside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"])


@EACH
def test_panels_are_written_in_the_order_in_which_they_stand(dashboard: Json) -> None:
    places = [(each["gridPos"]["y"], each["gridPos"]["x"]) for each in dashboard["panels"]]
    assert places == sorted(places)


@EACH
def test_what_is_folded_is_in_its_row_and_what_is_not_is_not(dashboard: Json) -> None:
    rows = [each for each in dashboard["panels"] if each["type"] == "row"]
    assert all(bool(row["panels"]) is row["collapsed"] for row in rows)


@EACH
def test_no_more_is_seen_at_once_than_can_be_taken_in(dashboard: Json) -> None:
    seen = [each for each in dashboard["panels"] if each["type"] != "row"]
    assert len(seen) <= SEEN


def test_the_first_page_needs_no_scrolling() -> None:
    seen = [each["gridPos"] for each in EVERY["orchestrator-fleet"]["panels"]]
    assert max(place["y"] + place["h"] for place in seen) <= ROWS


@EACH
def test_every_panel_is_one_of_grafanas_own(dashboard: Json) -> None:
    assert {each["type"] for each in panels(dashboard)} <= CORE


@EACH
def test_every_panel_says_what_is_good_and_what_to_do(dashboard: Json) -> None:
    for panel in panels(dashboard):
        shape = r"(?s)[A-Z].+?\.\n\n\*\*Good:\*\* .+?\.\n\n\*\*Otherwise:\*\* .+?[.?](\n\n.+)?"
        assert re.fullmatch(shape, panel["description"]), panel["title"]


@EACH
def test_every_panel_has_a_unit_and_says_what_nothing_means(dashboard: Json) -> None:
    given = [(each["title"], each["fieldConfig"]["defaults"]) for each in panels(dashboard)]
    assert [title for title, look in given if not (look.get("unit") and look.get("noValue"))] == []


@EACH
def test_every_threshold_begins_at_no_value(dashboard: Json) -> None:
    for panel in panels(dashboard):
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        for look in looks(panel):
            steps = look.get("thresholds", {"steps": [{"value": None}]})["steps"]
            assert [each["value"] is None for each in steps] == [True] + [False] * (len(steps) - 1)


@EACH
def test_red_is_bad_whichever_way_it_goes(dashboard: Json) -> None:
    for panel in panels(dashboard):
        for look in looks(panel):
            steps = look.get("thresholds", {"steps": []})["steps"]
            values = [each["value"] for each in steps[1:]]
            colors = [MEANINGS.index(each["color"]) for each in steps if each["color"] in MEANINGS]
            assert values == sorted(values), panel["title"]
            assert colors in (sorted(colors), sorted(colors, reverse=True)), panel["title"]


@EACH
def test_no_color_is_used_that_means_nothing(dashboard: Json) -> None:
    found = {mark["iconColor"] for mark in marks(dashboard)}
    for panel in panels(dashboard):
        for look in looks(panel):
            steps = look.get("thresholds", {"steps": []})["steps"]
            found |= {each["color"] for each in steps} | _words(look)
    assert found <= COLORS


def _words(look: Json) -> set[str]:
    colors = [
        word["color"]
        for mapping in look.get("mappings", [])
        for word in (
            mapping["options"].values()
            if mapping["type"] == "value"
            else [mapping["options"]["result"]]
        )
    ]
    return set(colors)


@EACH
def test_every_link_leads_to_a_dashboard_with_the_variables_that_it_gives(dashboard: Json) -> None:
    for url in urls(dashboard):
        if not url.startswith("/d/"):
            continue
        target = EVERY.get(urlsplit(url).path.removeprefix("/d/"))
        assert target is not None, url
        given = {key.removeprefix("var-") for key, _ in parse_qsl(urlsplit(url).query)}
        carried = set(re.findall(r"\$\{(\w+):queryparam\}", url))
        named = {each for each in given if not each.startswith("$")}
        assert named | carried <= variables(target).keys(), url
        assert "${__url_time_range}" in url
        assert "${datasource:queryparam}" in url


@EACH
def test_every_other_link_leads_to_a_place_that_no_address_can_change(dashboard: Json) -> None:
    others = [url for url in urls(dashboard) if not url.startswith("/d/")]
    fixed = [name for name, each in variables(dashboard).items() if each["type"] == "constant"]
    places = tuple(f"${{{name}:raw}}/" for name in fixed)
    assert [url for url in others if not url.startswith(places)] == []


@EACH
def test_every_variable_that_is_used_is_there(dashboard: Json) -> None:
    texts = [*expressions(dashboard), *urls(dashboard)]
    queries = [each["query"]["query"] for each in variables(dashboard).values()
               if each["type"] == "query"]  # fmt: skip
    found = {name for text in [*texts, *queries] for name in used(text)}
    assert found - GIVEN <= variables(dashboard).keys()


@EACH
def test_a_variable_of_many_values_is_matched_as_a_pattern(dashboard: Json) -> None:
    many = [name for name, each in variables(dashboard).items() if each.get("multi")]
    wrong = [expr for expr in expressions(dashboard) for name in many if f'="${name}' in expr]
    assert wrong == []


@EACH
def test_figures_of_now_are_asked_for_now_and_curves_over_the_time(dashboard: Json) -> None:
    of_now = {"stat", "table", "bargauge"}
    wrong = [
        panel["title"]
        for panel, target in targets(dashboard)
        if target["instant"] is not (panel["type"] in of_now)
    ]
    assert wrong == []


@EACH
def test_every_runbook_that_is_named_is_there(dashboard: Json) -> None:
    named = {
        page
        for panel in panels(dashboard)
        for page in re.findall(rf"{RUNBOOKS}/\w+\.md", panel["description"])
    }
    assert {page for page in named if not (ruleset.ROOT / page).exists()} == set()


def test_every_alert_leads_to_a_dashboard_with_the_variables_that_it_gives() -> None:
    for rule in ruleset.load().alerts:
        url = urlsplit(rule.annotations["dashboard_url"])
        target = EVERY[url.path.removeprefix("/d/")]
        given = {key.removeprefix("var-") for key, _ in parse_qsl(url.query)}
        assert given <= variables(target).keys(), rule.name
