"""Guards: what holds for an action on a project, of all that the file says about it."""

from dataclasses import fields, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import duration
from orchestrator.config import decode
from orchestrator.guards import Asking, Guarding, Guards, WrittenGuards, WrittenLimits

KEYS = tuple(each.name for each in fields(Guards))
ACTIONS, PROJECTS = ("restart_service", "command:free-memory"), ("chatbot", "crm")
SCOPES = ("general", "action", "project", "action there")  # each narrower than those before it
MINUTE = timedelta(minutes=1)
FOUR: dict[
    str, tuple[Any, ...]
] = {  # of each key, four values that are no default where there are so many
    "attempts": (11, 12, 13, 14),
    "window": (11 * MINUTE, 12 * MINUTE, 13 * MINUTE, 14 * MINUTE),
    "breaker": (21, 22, 23, 24),
    "cooldown": (timedelta(0), MINUTE, 2 * MINUTE, 3 * MINUTE),
    "approval": (Asking.ALWAYS, Asking.NEVER, Asking.ALWAYS, Asking.NEVER),
    "approval_within": (21 * MINUTE, 22 * MINUTE, 23 * MINUTE, 24 * MINUTE),
    "concurrency": (31, 32, 33, 34),
    "fleet_share": (0.1, 0.2, 0.4, 0.5),
    "fleet_min": (41, 42, 43, 44),
    "fleet_within": (31 * MINUTE, 32 * MINUTE, 33 * MINUTE, 34 * MINUTE),
    "recent_deployment": (41 * MINUTE, 42 * MINUTE, 43 * MINUTE, 44 * MINUTE),
    "resume_after": (51 * MINUTE, 52 * MINUTE, 53 * MINUTE, 54 * MINUTE),
    "dry_run": (True, False, True, False),  # there are but two, and one is the default
}


def _written(value: object) -> object:
    """Return a value as the file writes it."""
    return duration.text(value) if isinstance(value, timedelta) else value


def _guarding(said: dict[str, dict[str, Any]]) -> Guarding:
    """Return what the file says, by scope; an empty scope is not written at all."""
    limits = {
        scope: {key: _written(value) for key, value in said[scope].items()}
        for scope in said
        if said[scope]
    }
    action, there = (limits.get(scope) for scope in ("action", "action there"))
    own = limits.get("project", {}) | ({"actions": {ACTIONS[0]: there}} if there else {})
    general = limits.get("general", {}) | ({"actions": {ACTIONS[0]: action}} if action else {})
    return Guarding(
        general=WrittenGuards.model_validate(general),
        projects={PROJECTS[0]: WrittenGuards.model_validate(own)} if own else {},
    )


def test_every_guard_can_be_written_and_no_other() -> None:
    assert tuple(WrittenLimits.model_fields) == KEYS == tuple(FOUR)


def test_what_nobody_writes_is_the_default() -> None:
    limits = WrittenLimits()
    assert {key: getattr(limits, key) for key in KEYS} == dict.fromkeys(KEYS)
    assert Guarding().of("chatbot", "restart_service") == Guards()


def test_the_defaults_are_these() -> None:
    assert Guards() == Guards(
        attempts=3,
        window=timedelta(hours=1),
        breaker=2,
        cooldown=timedelta(seconds=30),
        approval=Asking.AUTO,
        approval_within=timedelta(minutes=15),
        concurrency=4,
        fleet_share=0.3,
        fleet_min=3,
        fleet_within=timedelta(seconds=60),
        recent_deployment=timedelta(days=1),
        resume_after=timedelta(minutes=5),
        dry_run=False,
    )


@pytest.mark.parametrize("key", KEYS)
def test_a_key_can_be_said_where_nothing_narrower_says_it(key: str) -> None:
    found = [
        _guarding({scope: {key: value}}).of(PROJECTS[0], ACTIONS[0])
        for scope, value in zip(SCOPES, FOUR[key], strict=True)
    ]
    assert found == [replace(Guards(), **{key: value}) for value in FOUR[key]]


@pytest.mark.parametrize(("wide", "narrow"), list(pairwise(SCOPES)))
@pytest.mark.parametrize("key", KEYS)
def test_of_two_words_the_narrower_one_holds(key: str, wide: str, narrow: str) -> None:
    wider, narrower = FOUR[key][:2]
    guarding = _guarding({wide: {key: wider}, narrow: {key: narrower}})
    found = guarding.of(PROJECTS[0], ACTIONS[0])
    assert found == replace(Guards(), **{key: narrower})


WORDS = st.fixed_dictionaries({}, optional={key: st.sampled_from(FOUR[key]) for key in KEYS})


@given(said=st.fixed_dictionaries(dict.fromkeys(SCOPES, WORDS)))
def test_each_key_has_the_narrowest_word_that_is_about_it(said: dict[str, dict[str, Any]]) -> None:
    guarding = _guarding(said)
    about = {
        (PROJECTS[0], ACTIONS[0]): SCOPES,
        (PROJECTS[0], ACTIONS[1]): ("general", "project"),
        (PROJECTS[1], ACTIONS[0]): ("general", "action"),
        (PROJECTS[1], ACTIONS[1]): ("general",),
    }
    expected = {}
    for whom, scopes in about.items():
        merged = {key: value for scope in scopes for key, value in said[scope].items()}
        expected[whom] = replace(Guards(), **merged)
    assert {whom: guarding.of(*whom) for whom in about} == expected


def test_the_file_says_it_at_all_four_places() -> None:
    text = """
        guards:
          cooldown: 1m
          actions: {restart_service: {attempts: 5, cooldown: 2m}}
        projects:
          - name: chatbot
            url: http://127.0.0.1:3011
            guards:
              cooldown: 3m
              actions: {restart_service: {breaker: 1}, "command:free-memory": {cooldown: 0s}}
          - {name: crm, url: "http://127.0.0.1:3013"}
        """
    guarding = decode(text, source="o.yml").guards
    assert {
        (project, action): guarding.of(project, action)
        for project in PROJECTS
        for action in ACTIONS
    } == {
        ("chatbot", "restart_service"): Guards(attempts=5, cooldown=3 * MINUTE, breaker=1),
        ("chatbot", "command:free-memory"): Guards(cooldown=timedelta(0)),
        ("crm", "restart_service"): Guards(attempts=5, cooldown=2 * MINUTE),
        ("crm", "command:free-memory"): Guards(cooldown=MINUTE),
    }


def test_a_word_that_is_written_and_empty_says_nothing() -> None:
    text = "guards: {attempts: 5, actions: {restart_service: {attempts: }}}"
    guards = decode(text, source="o.yml").guards
    assert guards.of("chatbot", "restart_service") == Guards(attempts=5)
