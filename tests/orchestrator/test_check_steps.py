"""What a playbook and a guard may name: to `orchestrator check` and to the webhook alike."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.check import COMMAND, unusable_steps
from orchestrator.config import BadConfig, decode
from orchestrator.supervisor.command import ACTIONS, SHORT
from webhook.app import check_playbooks
from webhook.catalogue import CATALOGUE
from webhook.remedies.command import PREFIX


def test_what_is_known_is_what_the_webhook_can_carry_out() -> None:
    assert (set(ACTIONS), COMMAND) == (set(CATALOGUE), PREFIX)


KNOWN = ", ".join(ACTIONS)


@pytest.mark.parametrize(
    ("playbooks", "found"),
    [
        ({}, []),
        ({"A": ["restart_service", "restart_service"]}, []),
        ({"A": list(ACTIONS)}, []),
        ({"A": ["command:free-memory"]}, []),
        *(
            ({"A": [short]}, [f"A[0]: {short!r} is no action, did you mean {name}?"])
            for short, name in SHORT.items()
        ),
        (
            {"A": ["restart_service", "restart_servise"]},
            ["A[1]: 'restart_servise' is no action, did you mean restart_service?"],
        ),
        (
            {"A": ["command:free-memori"]},
            ["A[0]: 'command:free-memori' is no action, did you mean command:free-memory?"],
        ),
        (
            {"A": ["free-memory", "dance"], "B": ["command:"]},
            [
                "A[0]: 'free-memory' is no action, did you mean command:free-memory?",
                f"A[1]: 'dance' is no action; known: {KNOWN}, command:free-memory",
                f"B[0]: 'command:' is no action; known: {KNOWN}, command:free-memory",
            ],
        ),
    ],
)
def test_a_step_is_an_action_or_a_command(
    playbooks: dict[str, list[str]], found: list[str]
) -> None:
    said = unusable_steps({"playbooks": playbooks, "commands": {"free-memory": {}}})
    assert [each.removeprefix("playbooks.") for each in said] == found


def test_a_guard_is_of_an_action_or_a_command_at_each_place() -> None:
    guards: dict[str, Any] = {
        "actions": {"restart": {}, "clear_cache": {}, "command:x": {}, "command:y": {}}
    }
    said = {"guards": guards, "projects": [{}, {"guards": guards}], "commands": {"x": {}}}
    no_actions = [
        "actions.restart: 'restart' is no action, did you mean restart_service?",
        "actions.command:y: 'command:y' is no action, did you mean command:x?",
    ]
    assert list(unusable_steps(said)) == [
        f"{place}.{each}" for place in ("guards", "projects[1].guards") for each in no_actions
    ]


def test_the_analyzer_may_propose_actions_and_no_commands() -> None:
    allow = {"A": ["clear_cache", "command:x", "restart"], "B": None, "C": [1]}
    said = {"analyzer": {"allow": allow}, "commands": {"x": {}}}
    assert list(unusable_steps(said)) == [
        f"analyzer.allow.A[1]: 'command:x' is no action; known: {KNOWN}",
        "analyzer.allow.A[2]: 'restart' is no action, did you mean restart_service?",
    ]


@pytest.mark.parametrize("odd", [None, 3, "text", [1], {"allow": None}, {"allow": [1]}])
def test_what_allows_nothing_is_left_to_the_configuration(odd: object) -> None:
    assert list(unusable_steps({"analyzer": odd})) == []


NAMES = st.sampled_from(
    [*ACTIONS, *SHORT, "command:x", "command:y", "command:", "x", "", "Restart_service"]
)
EMPTY: st.SearchStrategy[dict[str, int]] = st.just({})
GUARDED = st.fixed_dictionaries({"actions": st.dictionaries(NAMES, EMPTY, max_size=3)})
FILES = st.fixed_dictionaries(
    {
        "projects": st.lists(st.fixed_dictionaries({}, optional={"guards": GUARDED}), max_size=3),
        "playbooks": st.dictionaries(
            st.sampled_from(["ProjectDown", "ProjectHighCPU"]), st.lists(NAMES, max_size=3)
        ),
        "guards": GUARDED,
        "analyzer": st.fixed_dictionaries(
            {"allow": st.dictionaries(st.just("ProjectSlow"), st.lists(NAMES, max_size=3))}
        ),
        "commands": st.dictionaries(st.sampled_from(["x", "z"]), st.just({"argv": ["/bin/x"]})),
    }
)


@given(said=FILES)
def test_the_webhook_refuses_exactly_what_the_check_does(said: dict[str, Any]) -> None:
    named = [
        {"name": f"p{place}", "url": "http://127.0.0.1:1", **each}
        for place, each in enumerate(said["projects"])
    ]
    said = {**said, "projects": named}
    refused: list[str] = []
    try:
        check_playbooks(decode(json.dumps(said), source="o.yml"))
    except BadConfig as error:
        refused = error.mistakes
    told = [_without_advice(each) for each in unusable_steps(said)]
    assert [_without_advice(each) for each in refused] == told


def _without_advice(mistake: str) -> str:
    """Return the path and the action that is none, without what could stand there instead."""
    return mistake.partition(" is no action")[0]


@pytest.mark.parametrize(
    "playbooks", [None, 3, "text", [1], {"A": None}, {"A": "restart"}, {"A": [3, None, ["x"]]}]
)
def test_what_is_no_playbook_is_left_to_the_configuration(playbooks: object) -> None:
    assert list(unusable_steps({"playbooks": playbooks})) == []


@pytest.mark.parametrize("odd", [None, 3, "text", [1], {"actions": None}, {"actions": [1]}])
@pytest.mark.parametrize("key", ["guards", "projects", "commands"])
def test_what_are_no_guards_are_left_to_the_configuration(key: str, odd: object) -> None:
    said = [{"guards": odd}] if key == "projects" else odd
    assert list(unusable_steps({key: said})) == []
