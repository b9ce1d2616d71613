"""What orchestrator.yml may say of repairs: guards, commands, and who depends on whom."""

from dataclasses import fields

import pytest

from orchestrator.config import BadConfig, decode
from orchestrator.guards import Guards


@pytest.mark.parametrize(
    ("project", "ancestors"),
    [
        ("database", set()),
        ("api", {"database"}),
        ("shop", {"api", "database", "mail"}),
        ("alone", set()),
        ("nobody", set()),
    ],
)
def test_a_project_depends_on_what_its_parents_depend_on(project: str, ancestors: set[str]) -> None:
    parents = {
        "database": "[]",
        "mail": "[]",
        "api": "[database]",
        "shop": "[api, mail]",
        "alone": "[]",
    }
    lines = [
        f"  - {{name: {name}, url: 'http://h', depends_on: {each}}}"
        for name, each in parents.items()
    ]
    made = decode("\n".join(["projects:", *lines]), source="o.yml")
    assert made.ancestors(project) == ancestors


NO_NAME = "is not a name; use a-z, 0-9 and inner hyphens, 63 at most"
MISTAKES = [
    ("commands: []", "commands: must be a mapping of keys to values"),
    ("commands: {x: }", "commands.x: must be a mapping of keys to values"),
    ("commands: {Free_It: {argv: [/x]}}", f"commands.Free_It.[key]: 'Free_It' {NO_NAME}"),
    (
        "commands: {x: {argv: [free]}}",
        "commands.x.argv: begins with 'free', no absolute path like /usr/bin/systemctl",
    ),
    (
        "commands: {x: {argv: [/x, '{summary}']}}",
        (
            "commands.x.argv[1]: '{summary}': {project} is all that is filled in;"
            " no other brace may stand"
        ),
    ),
    ("commands: {x: {argv: [/x], timeout: 0s}}", "commands.x.timeout: must be longer than 0s"),
    (
        "commands: {x: {argv: [/x], disruptiv: true}}",
        "commands.x.disruptiv: unknown key, did you mean disruptive?",
    ),
    (
        "commands: {x: {argv: [/x], zzzz: 1}}",
        "commands.x.zzzz: unknown key; known here: argv, timeout, disruptive, repeatable",
    ),
    (  # a name that is a key elsewhere
        "commands: {timeout: {argv: [/x], disruptiv: true}}",
        "commands.timeout.disruptiv: unknown key, did you mean disruptive?",
    ),
    ("guards: {actions: []}", "guards.actions: must be a mapping of keys to values"),
    (
        "guards: {actions: {restart_service: }}",
        "guards.actions.restart_service: must be a mapping of keys to values",
    ),
    (
        "guards: {actions: {restart_service: {actions: {}}}}",
        "guards.actions.restart_service.actions: unknown key; known here: "
        + ", ".join(each.name for each in fields(Guards)),
    ),
    ("receiver: ''", "receiver: string should have at least 1 character"),
    ("receiver: 1", "receiver: must be text; put it in quotes"),
    ("url: x", "url: 'x' is not a URL like http://127.0.0.1:3010"),
    ("url: 'http://u:p@h'", "url: holds a user name or password; keep those out of URLs"),
]


@pytest.mark.parametrize(("text", "mistake"), MISTAKES)
def test_a_mistake_in_what_repairs_may_do_is_named_by_its_path(text: str, mistake: str) -> None:
    with pytest.raises(BadConfig) as refused:
        decode(text, source="o.yml")
    assert refused.value.mistakes == [mistake]


@pytest.mark.parametrize(
    ("key", "mistake"),
    [
        ("attemps: 1", "attemps: unknown key, did you mean attempts?"),
        ("attempts: 0", "attempts: input should be greater than or equal to 1"),
        ("window: 0s", "window: must be longer than 0s"),
        ("approval: no", "approval: input should be 'auto', 'always' or 'never'"),
        ("fleet_share: 30", "fleet_share: input should be less than or equal to 1"),
    ],
)
def test_a_mistake_in_a_guard_is_named_at_each_of_its_places(key: str, mistake: str) -> None:
    guards = f"guards: {{{key}, actions: {{restart_service: {{{key}}}}}}}"
    with pytest.raises(BadConfig) as refused:
        decode(f"{guards}\nprojects: [{{name: a, url: 'http://h', {guards}}}]", source="o.yml")
    assert sorted(refused.value.mistakes) == sorted(
        f"{place}{inner}.{mistake}"
        for place in ("guards", "projects[0].guards")
        for inner in ("", ".actions.restart_service")
    )
