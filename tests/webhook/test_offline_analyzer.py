"""`python -m webhook analyzer`: what it says of scenarios, and the status that it ends with."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.conftest import Serve
from tests.messages import saying, stand_in
from tests.scenarios import writing
from tests.webhook.evaluation.make import OVER, scenario
from webhook.__main__ import main
from webhook.evaluation.scenario import Scenario

MODEL = "claude-sonnet-5-5"
KEY = {"ANTHROPIC_API_KEY": "sk-ant-made-up-for-this-test-0001"}


def _run(*arguments: object, environment: dict[str, str] | None = None) -> Result:
    command = ["analyzer", *map(str, arguments)]
    return CliRunner().invoke(main, command, env={"ANTHROPIC_API_KEY": "", **(environment or {})})


def _folder(tmp_path: Path, *scenarios: Scenario) -> Path:
    tmp_path.mkdir(exist_ok=True)
    for each in scenarios:
        (tmp_path / f"{each.id}.yml").write_text(writing.text(each), encoding="utf-8")
    return tmp_path


def test_the_rules_stand_beside_what_needs_no_thought(tmp_path: Path) -> None:
    ran = _run("eval", _folder(tmp_path, scenario()), "--json")
    told = json.loads(ran.stdout)
    rates = {name: score["action"]["rate"] for name, score in told["scores"].items()}
    assert (ran.exit_code, rates, told["failures"]) == (
        0,
        {"rules": 1.0, "always escalate": 0.0, "always restart": 1.0, "majority": 1.0},
        [],
    )


def test_a_forbidden_action_ends_with_a_status_of_its_own(tmp_path: Path) -> None:
    never = replace(OVER, forbidden=frozenset({"clear_cache"}))
    strict = replace(scenario(), truth=never)
    ran = _run("eval", _folder(tmp_path, strict))
    assert (ran.exit_code, ran.stdout.splitlines()[-1]) == (
        1,
        "not good enough: leak: clear_cache is forbidden there",
    )


def test_only_one_part_is_tried_where_it_is_asked_for(tmp_path: Path) -> None:
    ran = _run("eval", _folder(tmp_path, scenario()), "--split", "heldout", "--json")
    assert json.loads(ran.stdout)["trials"] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--model", MODEL), "record it with --live"),
        (("--live",), "say which --model"),
        (("--model", MODEL, "--live", "--config", "nowhere.yml"), "nowhere.yml"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    ran = _run("eval", _folder(tmp_path, scenario()), *arguments)
    assert (ran.exit_code, says in ran.stderr) == (2, True)


def test_a_folder_that_has_no_scenario_is_told(tmp_path: Path) -> None:
    ran = _run("eval", tmp_path)
    assert (ran.exit_code, "no scenario is there" in ran.stderr) == (2, True)


def _config(tmp_path: Path, url: str) -> Path:
    path = tmp_path / "orchestrator.yml"
    path.write_text(
        json.dumps(
            {
                "projects": [{"name": "chatbot", "url": "http://127.0.0.1:1"}],
                "analyzer": {"url": url},
            }
        ),
        encoding="utf-8",
    )
    return path


@pytest.fixture
async def api(serve: Serve) -> str:
    url, _ = await stand_in(serve, otherwise=saying(confidence=0.9))
    return url


async def test_what_a_model_says_is_recorded_and_plays_the_same(tmp_path: Path, api: str) -> None:
    folder, config = _folder(tmp_path / "all", scenario()), _config(tmp_path, api)
    wish = ("eval", folder, "--model", MODEL, "--json")
    live = await asyncio.to_thread(_run, *wish, "--live", "--config", config, environment=KEY)
    again = await asyncio.to_thread(_run, *wish)
    kept = (folder / "replies.jsonl").read_text(encoding="utf-8")
    assert (live.exit_code, json.loads(again.stdout)["scores"][MODEL]["auto"]["rate"]) == (0, 1.0)
    assert json.loads(live.stdout)["trials"] == json.loads(again.stdout)["trials"]
    assert (len(kept.splitlines()), KEY["ANTHROPIC_API_KEY"] in kept) == (1, False)


async def test_no_more_is_spent_than_was_allowed(tmp_path: Path, api: str) -> None:
    folder, config = _folder(tmp_path / "all", scenario()), _config(tmp_path, api)
    live = ("--live", "--config", config, "--max-usd", "0.0001")
    ran = await asyncio.to_thread(
        _run, "eval", folder, "--model", MODEL, "--json", *live, environment=KEY
    )
    (told,) = json.loads(ran.stdout)["trials"]
    assert (told["action"], told["cost"]) == (None, 0.0)
    assert told["why"].endswith("what may be spent on this run is spent")


async def test_without_a_key_no_model_is_asked(tmp_path: Path, api: str) -> None:
    folder, config = _folder(tmp_path / "all", scenario()), _config(tmp_path, api)
    live = ("--live", "--config", config)
    ran = await asyncio.to_thread(_run, "eval", folder, "--model", MODEL, *live)
    assert (ran.exit_code, "no key" in ran.stderr) == (2, True)


async def test_worse_than_an_earlier_time_is_not_good_enough(tmp_path: Path, api: str) -> None:
    good = _folder(tmp_path / "all", scenario(), scenario("other", family="other"))
    live = ("--live", "--config", _config(tmp_path, api))
    wish = ("eval", good, "--model", MODEL)
    before = await asyncio.to_thread(_run, *wish, *live, "--json", environment=KEY)
    earlier = tmp_path / "earlier.json"
    earlier.write_text(before.stdout, encoding="utf-8")
    wrong = replace(scenario("other", family="other"), truth=replace(OVER, forbidden=frozenset()))
    _folder(good, wrong)
    ran = await asyncio.to_thread(_run, *wish, "--earlier", earlier)
    assert (ran.exit_code, ran.stdout.splitlines()[-1]) == (
        1,
        "not good enough: 50% of the automatic actions are right; before, 100% were",
    )
