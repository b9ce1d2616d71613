"""The docs and the files that we ship are true."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import click
import pytest
import yaml
from aiohttp import web
from hatchling.builders.wheel import WheelBuilder
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from exporter.__main__ import main as exporter
from exporter.routes import ROUTES
from orchestrator import config, duration, webconfig
from orchestrator.answer import Reason
from orchestrator.check import check
from orchestrator.cli import main as orchestrator
from orchestrator.demo import stack
from orchestrator.demo.fault import FAULTS, Outcome
from orchestrator.demo.stack import PORTS, PROJECTS
from orchestrator.doctor.finding import Mark
from orchestrator.gauge import UNITS
from orchestrator.guards import Guarding, Guards, WrittenGuards
from orchestrator.metrics import METRICS, exported
from orchestrator.project import Control, Project
from orchestrator.source import Source
from orchestrator.written import RESERVED, WrittenProject
from webhook import event
from webhook.__main__ import main as webhook
from webhook.app import check_playbooks
from webhook.catalogue import CATALOGUE
from webhook.guard import GUARDS

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob(".github/*.md")])


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if not link.startswith("http")]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_the_example_of_the_doctor_counts_its_lines() -> None:
    _, *lines, counted = _text("docs/doctor.md").split("```")[1].strip().splitlines()
    marks = [each[:4].strip() for each in lines]
    assert counted == ", ".join(f"{marks.count(each)} {each}" for each in Mark)


NAMED_BY_DATA = ("ProjectDown", "<PROJECT>_STATUS_CHANGED")


def test_every_event_is_explained() -> None:
    built = set(re.findall(r'_of\(incident, "(\w+)"', _text("webhook/event.py")))
    failures = {each.failed_event for each in CATALOGUE.values() if each.failed_event}
    explained = set(re.findall(r"^\| `([\w<>]+)`", _text("docs/events.md"), re.MULTILINE))
    restrained = {*event.SET.values(), *event.LIFTED.values()}
    assert explained == built | failures | restrained | {"ActionFailed", *NAMED_BY_DATA}


def _shape(hint: object) -> Any:  # noqa: ANN401  a model or a dataclass, or None for a plain value
    inner = [hint, *get_args(hint)]
    return next((each for each in inner if is_dataclass(each) or _is_model(each)), None)


def _is_model(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModel)


def _keys(shape: Any, path: str = "") -> Iterator[tuple[str, object]]:  # noqa: ANN401  as _shape has it
    """Yield every key that can be written, and its default."""
    hints = get_type_hints(shape)
    if _is_model(shape):
        defaults = {
            name: each.get_default(call_default_factory=True)
            for name, each in shape.model_fields.items()
        }
    else:
        defaults = {each.name: each.default for each in fields(shape)}
    for name, default in defaults.items():
        key = f"{path}.{name}".lstrip(".")
        key += NAMED.get(key, "") + "[]" * (get_origin(hints[name]) is list)
        inner = _shape(hints[name])
        if inner and key not in LIKE_GUARDS:
            yield from _keys(inner, key)
        else:
            yield key, default


NAMED = {
    "playbooks": ".<alert>",
    "commands": ".<name>",
    "guards.actions": ".<action>",
    "analyzer.allow": ".<alert>",
    "analyzer.prices": ".<model>",
}
LIKE_GUARDS = ("guards.actions.<action>", "projects[].guards")  # with the same keys, told once
PLACES = {"guards", *LIKE_GUARDS, "projects[].guards.actions.<action>"}
KEYS = dict(_keys(config._File)) | {f"guards.{each.name}": each.default for each in fields(Guards)}
NOTHING: tuple[object, ...] = (None, {}, (), PydanticUndefined, MISSING)


def _rows(page: str) -> dict[str, list[str]]:
    """Return the cells of each row of a table, by each of the keys in its first one."""
    lines = [line for line in _text(page).splitlines() if line.startswith("| `")]
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {key: row for row in rows for key in re.findall(r"`([^`]+)`", row[0])}


def test_every_key_of_the_configuration_is_explained_and_no_other() -> None:
    roots = {key.partition(".")[0] for key in KEYS}
    shown = {key for key in _rows("docs/configuration.md") if key.partition(".")[0] in roots}
    assert shown | PLACES == KEYS.keys() | PLACES


def test_the_places_of_a_guard_are_all_told_and_have_the_same_keys() -> None:
    general, own = (get_type_hints(each)["guards"] for each in (config._File, WrittenProject))
    assert (general, _shape(own)) == (WrittenGuards, WrittenGuards)
    assert PLACES - _rows("docs/configuration.md").keys() == set()


def test_every_guard_that_holds_says_so_in_the_configuration_page() -> None:
    page = _text("docs/configuration.md").partition("### What a held action says")[2]
    told = re.findall(r"`(\w+)`", page.partition("\n### ")[0])
    assert [name for name in GUARDS if name not in told] == []


def _read(cell: str, default: object) -> object:
    """Read a cell like `` `5s` `` as the configuration would read it."""
    said = yaml.safe_load(cell.strip("`"))
    if isinstance(default, timedelta):
        return duration.parse(said)
    return tuple(said) if isinstance(default, tuple) else said


def test_the_configuration_page_says_the_defaults() -> None:
    rows = _rows("docs/configuration.md")
    plain = {key: default for key, default in KEYS.items() if default not in NOTHING}
    assert {key: _read(rows[key][1], default) for key, default in plain.items()} == plain


def test_every_unit_is_in_the_configuration_page() -> None:
    rows = _rows("docs/configuration.md")
    assert {unit: rows[unit][1:] for unit in UNITS} == {
        unit: [f"`_{base}`", f"/ {per:,.0f}" if per != 1 else f"x {times:,.0f}"]
        for unit, (base, times, per) in UNITS.items()
    }


def test_every_reserved_label_is_in_the_configuration_page() -> None:
    page = _text("docs/configuration.md")
    assert [name for name in sorted(RESERVED) if f"`{name}`" not in page] == []


def test_every_key_of_the_web_configuration_is_explained() -> None:
    page = _text("docs/exporter.md")
    keys = [key for key, _ in _keys(webconfig._File)]
    refused = [key for key in keys if f"`{key}`" not in page]
    assert [key for key in refused if f"`{key.rpartition('.')[2]}`" not in page] == []


def test_every_metric_of_the_exporter_is_explained_and_no_other() -> None:
    shown = re.findall(r"(?m)^\| `((?:project|exporter|process)_\w+)`", _text("docs/exporter.md"))
    assert sorted(shown) == sorted(exported("exporter"))


def test_the_labels_of_every_metric_of_the_exporter_are_told() -> None:
    rows = _rows("docs/exporter.md")
    told = {name: set(re.findall(r"`(\w+)`", rows[name][1])) for name in exported("exporter")}
    assert told == {name: set(METRICS[name].labels) - {"project"} for name in told}


def test_every_reason_is_explained() -> None:
    rows = _rows("docs/endpoint-contract.md")
    assert {reason: rows[reason][2] for reason in Reason} == {
        reason: "up" if reason in {Reason.CONTENT_TYPE, Reason.VALUE} else "down"
        for reason in Reason
    }


def _options(command: click.Command) -> set[str]:
    shown = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    return {name for each in shown for name in each.opts}


@pytest.mark.parametrize(("program", "page"), [(exporter, "exporter.md"), (webhook, "webhook.md")])
def test_every_option_of_a_program_is_in_its_page(program: click.Command, page: str) -> None:
    assert [name for name in _options(program) if f"`{name}`" not in _text(f"docs/{page}")] == []


def test_every_route_of_the_exporter_is_in_its_page() -> None:
    routes = {f"{each.method} {each.path}" for each in ROUTES if isinstance(each, web.RouteDef)}
    shown = re.findall(r"(?m)^\| `((?:GET|POST) [^?`]+)", _text("docs/exporter.md"))
    assert routes == {*shown, "PUT /-/reload"}


def _commands(of: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command with what people write for it; a group stands for those in it."""
    if not isinstance(of, click.Group):
        yield name, of
        return
    if of.invoke_without_command:
        yield name, of
    for inner, command in of.commands.items():
        yield from _commands(command, f"{name} {inner}")


COMMANDS = dict(
    [*_commands(orchestrator, "orchestrator"), *_commands(webhook, "python -m webhook")]
)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_docs(name: str) -> None:
    assert any(f"`{name}" in page.read_text(encoding="utf-8") for page in PAGES)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_how_it_is_used_and_what_its_exit_status_means(name: str) -> None:
    command = COMMANDS[name]
    told = f"{command.help or ''}{command.epilog or ''}"
    examples = re.findall(r"(?m)^ +((?:orchestrator|python -m webhook) .*)$", told)
    assert any(each.startswith(name) for each in examples)
    assert "Exit status: 0 " in told or command is webhook  # which runs until it is ended


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_run_as_a_process_by_a_test(name: str) -> None:
    words = name.removeprefix("orchestrator ").removeprefix("python -m webhook").split()
    called = ", ".join(f'"{word}"' for word in words)
    places = [page for page in (ROOT / "tests").rglob("test_*.py") if page != Path(__file__)]
    assert any(called in page.read_text(encoding="utf-8") for page in places)


def test_every_action_is_in_the_configuration_page() -> None:
    assert [name for name in CATALOGUE if f"`{name}`" not in _text("docs/configuration.md")] == []


def test_the_readme_names_every_fault_that_a_playbook_repairs() -> None:
    told = [name for name, fault in FAULTS.items() if fault.outcome is not Outcome.NO_PLAYBOOK_YET]
    assert [name for name in told if name not in _text("README.md")] == []


def test_every_target_of_the_makefile_that_the_docs_name_exists() -> None:
    named = {
        name
        for page in PAGES
        for name in re.findall(r"(?:`|\$ )make ([a-z-]+)", page.read_text(encoding="utf-8"))
    }
    targets = set(re.findall(r"^([a-z-]+):", _text("Makefile"), re.MULTILINE))
    assert named - targets == set()


def test_the_example_configuration_says_the_defaults() -> None:
    example = config.load(ROOT / "orchestrator.example.yml")
    check_playbooks(example)
    plain = Project(name="social-media", url="http://127.0.0.1:3012", control=Control(url=""))
    given = example.projects["social-media"]
    bare = replace(example, projects={}, playbooks={}, guards=Guarding())
    assert bare == config.Config(projects={})
    assert replace(given, control=plain.control, labels=(), metrics=()) == plain
    assert {name: example.guards.of("chatbot", name) for name in CATALOGUE} == {
        **dict.fromkeys(CATALOGUE, Guards()),
        "rollback_deployment": Guards(attempts=1),
    }


def test_the_example_configuration_is_the_demo() -> None:
    example = config.load(ROOT / "orchestrator.example.yml")
    assert {
        name: (each.url, {gauge.name: gauge.source for gauge in each.metrics})
        for name, each in example.projects.items()
    } == {name: (f"http://127.0.0.1:{PORTS[name]}", stack.METRICS[name]) for name in PROJECTS}


def test_the_check_has_nothing_to_say_of_the_example_configuration() -> None:
    checked = check(Source(path=ROOT / "orchestrator.example.yml"))
    assert checked.mistakes == ()
    told = checked.summary.replace(f"{ROOT}/", "")
    assert f"$ orchestrator check --config orchestrator.example.yml\n{told}\n" in _text(
        "docs/configuration.md"
    )


def test_the_wheel_holds_the_package_orchestrator_and_nothing_else(tmp_path: Path) -> None:
    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path))
    with zipfile.ZipFile(wheel) as opened:
        tops = {name.split("/")[0] for name in opened.namelist()}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"orchestrator"}
