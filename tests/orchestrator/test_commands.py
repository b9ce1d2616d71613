"""`commands` of orchestrator.yml: what may be written, and what becomes an argument."""

from datetime import timedelta

import pytest
from pydantic import BaseModel

from orchestrator import strict
from orchestrator.commands import Command

NO_BRACE = "{project} is all that is filled in; no other brace may stand"


class Shape(BaseModel):
    """A file with one command."""

    it: Command


def mistakes(written: str) -> list[str]:
    """Return what is wrong with a command."""
    with pytest.raises(strict.Mistaken) as caught:
        strict.parse(f"it: {written}", Shape)
    return caught.value.mistakes


def test_a_command_has_its_arguments_and_careful_defaults() -> None:
    read = strict.parse('it: {argv: [/bin/rm, "-f", "/var/{project}/x", ""]}', Shape).it
    assert read == Command(
        argv=("/bin/rm", "-f", "/var/{project}/x", ""),
        timeout=timedelta(seconds=30),
        disruptive=True,
        repeatable=False,
    )


def test_every_key_can_be_said() -> None:
    read = strict.parse(
        "it: {argv: [/x], timeout: 2m, disruptive: false, repeatable: true}", Shape
    ).it
    assert read == Command(
        argv=("/x",), timeout=timedelta(minutes=2), disruptive=False, repeatable=True
    )


def test_the_name_of_the_project_is_filled_in_wherever_it_stands() -> None:
    command = Command(argv=("/bin/echo", "{project}-{project}", "plain", "--of={project}"))
    assert command.arguments("chatbot") == (
        "/bin/echo",
        "chatbot-chatbot",
        "plain",
        "--of=chatbot",
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{}", ["it.argv: is missing"]),
        ("{argv: []}", ["it.argv: must not be empty"]),
        ("{argv: /bin/true}", ["it.argv: must be a list"]),
        ("{argv: [/bin/sleep, 5]}", ["it.argv[1]: must be text; put it in quotes"]),
        (
            "{argv: [systemctl]}",
            ["it.argv: begins with 'systemctl', no absolute path like /usr/bin/systemctl"],
        ),
        (
            '{argv: ["/srv/{project}/fix"]}',
            ["it.argv: begins with '/srv/{project}/fix'; {project} is for its arguments only"],
        ),
        ('{argv: [/x, "{key}"]}', [f"it.argv[1]: '{{key}}': {NO_BRACE}"]),
        ('{argv: [/x, "{project"]}', [f"it.argv[1]: '{{project': {NO_BRACE}"]),
        ('{argv: [/x, "{project}}"]}', [f"it.argv[1]: '{{project}}}}': {NO_BRACE}"]),
        ('{argv: [/x, "{project.name}"]}', [f"it.argv[1]: '{{project.name}}': {NO_BRACE}"]),
        (
            '{argv: [/x, "a\\0b"]}',
            ["it.argv[1]: has a NUL character, which no program can be given"],
        ),
        ("{argv: [/x], timeout: 0s}", ["it.timeout: must be longer than 0s"]),
        ("{argv: [/x], repeatable: 1}", ["it.repeatable: input should be a valid boolean"]),
        ("{argv: [/x], disruptiv: no}", ["it.disruptiv: unknown key, did you mean disruptive?"]),
    ],
)
def test_each_mistake_is_named_by_its_path(written: str, expected: list[str]) -> None:
    assert mistakes(written) == expected
