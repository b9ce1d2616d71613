"""The questions: few, about the project alone, in metrics that there are."""

from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from orchestrator.metrics import exported
from webhook.evidence.questions import MOST, POINTS, Question, asked, quoted

RULES = [
    (rule["alert"], rule["labels"].get("remediate"))
    for path in sorted(Path("rules").glob("*.yml"))
    for group in yaml.safe_load(path.read_text(encoding="utf-8")).get("groups", [])
    for rule in group["rules"]
    if "alert" in rule
]
EVERY = sorted({name for name, _ in RULES} | {"SomethingElse"})


def _selectors(node: Any) -> list[Any]:  # noqa: ANN401  a tree of another language
    if isinstance(node, promql_parser.VectorSelector):
        return [node]
    inner = ("expr", "lhs", "rhs", "vector_selector", "args")
    found = [getattr(node, name) for name in inner if getattr(node, name, None) is not None]
    flat = [each for part in found for each in (part if isinstance(part, list) else [part])]
    return [selector for each in flat for selector in _selectors(each)]


@pytest.mark.parametrize("alertname", EVERY)
@pytest.mark.parametrize("depends_on", [(), ("db",)])
def test_every_question_is_about_metrics_of_the_exporter_and_of_this_project(
    alertname: str, depends_on: tuple[str, ...]
) -> None:
    there = exported("exporter")
    questions = asked(alertname, "chatbot", depends_on)
    for each in questions:
        selectors = _selectors(promql_parser.parse(each.query))
        assert [selector.name for selector in selectors if selector.name not in there] == []
        matched = {
            str(matcher.value)
            for selector in selectors
            for matcher in selector.matchers.matchers
            if matcher.name == "project"
        }
        assert matched == ({"db"} if each.name == "dependencies_up" else {"chatbot"})
    assert len({each.name for each in questions}) == len(questions) == MOST


@pytest.mark.parametrize("alertname", EVERY)
def test_a_window_has_sixty_points_of_half_an_hour_or_an_hour(alertname: str) -> None:
    minutes = {each.window.total_seconds() / 60 for each in asked(alertname, "chatbot")}
    assert minutes in ({30.0}, {60.0})
    assert {POINTS * each.step == each.window for each in asked(alertname, "chatbot")} == {True}


def test_what_may_be_repaired_is_asked_about_its_own_figure_first() -> None:
    first = {name: asked(name, "chatbot")[0].name for name, yes in RULES if yes == "true"}
    assert first == {
        "ProjectDown": "up",
        "ProjectHighCPU": "cpu",
        "ProjectHighErrorRate": "errors",
        "ProjectHighMemory": "memory",
        "ProjectQueueBacklog": "queue",
    }


def test_what_depends_on_others_is_asked_about_them_too() -> None:
    found = asked("ProjectDown", "chatbot", ("email.blast", "db"))[1]
    assert found == Question(
        name="dependencies_up",
        unit="1 all up, 0 one is down",
        query='min(project_up{project=~"db|email\\\\.blast"})',
        window=found.window,
    )


@pytest.mark.parametrize("text", ['a"} or vector(1) #', "a\\", "a\nb", "$parents", "\u00e9"])
def test_nothing_in_a_name_can_end_the_string_that_it_stands_in(text: str) -> None:
    for each in asked("ProjectDown", text):
        [selector] = _selectors(promql_parser.parse(each.query))
        assert [str(found.value) for found in selector.matchers.matchers] == [text]
    assert quoted(text)[0] == quoted(text)[-1] == '"'
