"""What is wrong with an answer is found, and nothing is found in a right one."""

from dataclasses import replace
from typing import Final

import pytest

from tests.dashboards import answered
from tests.dashboards.answered import Answer, Labels, Lack, Series
from tests.dashboards.asked import Place, Question
from tests.dashboards.written import Json

PLACE: Final = Place(uid="one", at=3, letter="A", title="Ups")
ASKED: Final = Question(place=PLACE, expr="up", is_instant=True, told=("{{job}}",))
NAN: Final = float("nan")
WEBHOOK: Final = {"job": "webhook", "project": "chatbot"}
RIGHT: Final = Answer(to=ASKED, series=(Series(labels=WEBHOOK, values=(NAN, 1.0)),))


def _found(*labels: dict[str, str], told: str = "{{job}}") -> Answer:
    asked = replace(ASKED, told=(told,))
    return Answer(to=asked, series=tuple(Series(labels=each, values=(1.0,)) for each in labels))


def _lack(label: str, labels: Labels) -> Lack:
    return Lack(place=PLACE, label=label, labels=labels, expr="up")


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (
            {"resultType": "vector", "result": [{"metric": WEBHOOK, "value": [5, "1"]}]},
            (Series(labels=WEBHOOK, values=(1.0,)),),
        ),
        (
            {"resultType": "matrix", "result": [{"metric": {}, "values": [[5, "1"], [7, "+Inf"]]}]},
            (Series(labels={}, values=(1.0, float("inf"))),),
        ),
        ({"resultType": "scalar", "result": [5, "1"]}, ()),
    ],
)
def test_an_answer_is_read_with_its_warnings(data: Json, wanted: tuple[Series, ...]) -> None:
    body = {"status": "success", "data": data, "warnings": ["slow"], "infos": ["no counter"]}
    read = answered.read(ASKED, body)
    assert read == Answer(to=ASKED, warnings=("slow", "no counter"), series=wanted)


def test_an_error_a_warning_and_too_many_series_are_told() -> None:
    refused = answered.read(ASKED, {"status": "error", "error": "parse error"})
    many = _found(*({"job": str(number)} for number in range(51)))
    told = answered.complaints([RIGHT, refused, replace(RIGHT, warnings=("slow",)), many])
    assert list(told) == [
        "one / panel 3 Ups / A: parse error: up",
        "one / panel 3 Ups / A: slow: up",
        "one / panel 3 Ups / A: 51 series: up",
    ]


@pytest.mark.parametrize("values", [(), (NAN,), (float("inf"), NAN)])
def test_what_has_no_figure_is_nothing(values: tuple[float, ...]) -> None:
    none = Answer(to=ASKED, series=(Series(labels=WEBHOOK, values=values),) if values else ())
    assert answered.nothing([none]) == {PLACE: "up"}


def test_what_one_of_several_choices_finds_is_not_nothing() -> None:
    assert answered.nothing([Answer(to=ASKED), RIGHT]) == {}


def test_a_label_that_a_legend_names_and_one_series_has_not_is_found() -> None:
    one, other = _found(WEBHOOK, {"project": "chatbot"}), _found(WEBHOOK)
    [found] = answered.unnamed([one, other])
    assert (found, found.where, str(found)) == (
        _lack("job", {"project": "chatbot"}),
        ("one", 3, "job"),
        "one / panel 3 Ups / A: no job in {'project': 'chatbot'}: up",
    )


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("{{job}}", ["one / panel 3: two are 'webhook'"]),
        ("up", ["one / panel 3: two are 'up'"]),
        ("{{job}} {{project}}", []),
        ("__auto", []),
    ],
)
def test_two_series_of_one_name_are_found(told: str, wanted: list[str]) -> None:
    answer = _found(WEBHOOK, {**WEBHOOK, "project": "email-blast"}, told=told)
    assert list(answered.shared([answer])) == wanted


def test_the_same_name_is_no_finding_where_another_choice_was_made() -> None:
    other = replace(RIGHT, to=replace(ASKED, chosen="email-blast"))
    assert list(answered.shared([RIGHT, other])) == []


def _table(link: str, *, by: str | None = None) -> Json:
    organized = {"renameByName": {"project": "Project", "job": "Job", "Value": "Times"}}
    joined = [{"id": "joinByField", "options": {"byField": by}}] if by else []
    return {
        "uid": "one",
        "panels": [
            {
                "id": 3,
                "type": "table",
                "title": "Ups",
                "fieldConfig": {"defaults": {"links": [{"url": link}]}, "overrides": []},
                "transformations": [*joined, {"id": "organize", "options": organized}],
            }
        ],
    }


def _bars(name: str, link: str = "") -> Json:
    look = {"displayName": name, "links": [{"url": link}]}
    fields = {"defaults": look, "overrides": []}
    panel = {"id": 3, "type": "bargauge", "title": "Ups", "fieldConfig": fields}
    return {"uid": "one", "panels": [panel]}


@pytest.mark.parametrize(
    ("by", "wanted"),
    [
        (None, [_lack("job", {"project": "chatbot"})]),
        ("project", []),  # another query may have it
    ],
)
def test_a_column_that_a_row_has_not_is_found(by: str | None, wanted: list[Lack]) -> None:
    answers = [_found(WEBHOOK, {"project": "chatbot"})]
    assert list(answered.unlinked(_table("", by=by), answers)) == wanted


def test_a_label_that_a_link_reads_and_a_series_has_not_is_found() -> None:
    panel = _table("/d/one?var-client=${__field.labels.client}")
    assert list(answered.unlinked(panel, [_found(WEBHOOK)])) == [_lack("client", WEBHOOK)]


def test_a_label_that_a_name_reads_and_a_series_has_not_is_found() -> None:
    panel = _bars("${__field.labels.job} ${__field.labels.why}")
    assert list(answered.unlinked(panel, [_found(WEBHOOK)])) == [_lack("why", WEBHOOK)]


def test_a_series_with_links_of_its_own_needs_no_label_of_the_others() -> None:
    panel = _table("/d/one?var-client=${__field.labels.client}")
    own = {"matcher": {"options": "webhook"}, "properties": [{"id": "links", "value": []}]}
    panel["panels"][0]["fieldConfig"]["overrides"] = [own]
    assert list(answered.unlinked(panel, [_found(WEBHOOK)])) == []


@pytest.mark.parametrize(
    ("link", "labels", "wanted"),
    [
        ("/d/one?var-job=${__data.fields.job}", WEBHOOK, []),
        ("/d/one?var-job=${__data.fields.Job}", WEBHOOK, []),
        ("${__data.fields.client}", WEBHOOK, ["one / panel 3 Ups: no column client to be read"]),
        ("", {"job": "webhook"}, ["one / panel 3 Ups: no project"]),
    ],
)
def test_a_column_that_no_row_has_or_that_is_not_shown_is_found(
    link: str, labels: dict[str, str], wanted: list[str]
) -> None:
    assert list(answered.missing_columns(_table(link), [_found(labels)])) == wanted


@pytest.mark.parametrize(
    ("name", "link"), [("${__data.fields.job}", ""), ("Ups", "/d/one?var-job=${__data.fields.job}")]
)
def test_what_is_no_table_has_no_row_to_read(name: str, link: str) -> None:
    told = answered.missing_columns(_bars(name, link), [_found(WEBHOOK)])
    assert list(told) == ["one / panel 3 Ups: no column job to be read"]


@pytest.mark.parametrize(
    ("projects", "wanted"),
    [
        (["chatbot", "email-blast"], []),
        (["chatbot"], ["lacks ['email-blast'], has [] beyond: up"]),
        (["chatbot", "social-media"], ["lacks ['email-blast'], has ['social-media'] beyond: up"]),
    ],
)
def test_a_row_without_a_cell_and_a_cell_without_a_row_are_found(
    projects: list[str], wanted: list[str]
) -> None:
    second = replace(ASKED, place=replace(PLACE, letter="B"))
    first = _found({"project": "chatbot"}, {"project": "email-blast"})
    other = replace(_found(*({"project": each} for each in projects)), to=second)
    told = answered.uneven(_table("", by="project"), [first, other])
    assert list(told) == [(second.place, each) for each in wanted]


def test_a_cell_without_a_figure_is_none() -> None:
    first = _found({"project": "chatbot"})
    series = Series(labels={"project": "chatbot"}, values=(NAN,))
    other = Answer(to=replace(ASKED, place=replace(PLACE, letter="B")), series=(series,))
    told = answered.uneven(_table("", by="project"), [first, other])
    assert [how for _, how in told] == ["lacks ['chatbot'], has [] beyond: up"]


def test_a_table_of_one_query_is_even() -> None:
    assert list(answered.uneven(_table(""), [_found(WEBHOOK), _found()])) == []
