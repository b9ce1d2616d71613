"""`python -m webhook analyzer replay`: a stored analysis made anew, and what is different."""

import asyncio
import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.conftest import Serve
from tests.messages import saying, stand_in
from tests.webhook.evaluation.make import answer, scenario
from tests.webhook.reasoned import analysis, answered, decided
from tests.webhook.store.fill import add
from webhook.__main__ import main
from webhook.analyzer import answer as kept
from webhook.analyzer import prompt, rules
from webhook.claude.question import without_logs
from webhook.diagnosis import Line
from webhook.evaluation import trial
from webhook.evidence.item import Pack
from webhook.evidence.pack import assemble, digest, wire
from webhook.evidence.raw import Raw
from webhook.store.database import connect

MODEL = "claude-sonnet-5-5"
SAID = answer()
PACK = trial.pack(scenario())
GATES = json.dumps([{"name": "confidence", "passed": True, "why": "its confidence is above 0.7"}])
SAME = {"evidence": True, "request": True, "answer": True, "decision": True}


def _request(pack: Pack) -> bytes:
    return prompt.written(prompt.body(wire(pack), model=MODEL, effort="medium", instance="i"))


def _message(text: str) -> bytes:
    content = [{"type": "text", "text": text}]
    message = {"id": "msg_1", "model": MODEL, "content": content, "stop_reason": "end_turn"}
    return json.dumps(message).encode()


def _stored(tmp_path: Path, **changes: object) -> Path:
    """Make a database with the analysis 7, which a model has answered; return its path."""
    path = tmp_path / "orchestrator.db"
    db = connect(path)
    add(db, "incidents")
    parts: dict[str, object] = {
        "evidence_hash": digest(PACK),
        "answer": kept.dump(SAID),
        "ids": json.dumps(sorted(PACK.ids)),
        "measured": json.dumps(sorted(PACK.measured)),
        "flags": "[]",
        "evidence": gzip.compress(wire(PACK).encode()),
        "request": gzip.compress(_request(PACK)),
        "reply": gzip.compress(_message(kept.dump(SAID))),
        **changes,
    }
    analysis(db, 7, **{**decided("auto", gates=GATES), **answered(**parts)})
    db.close()
    return path


def _run(*arguments: object) -> Result:
    key = {"ANTHROPIC_API_KEY": "sk-ant-made-up-for-this-test-0001"}
    return CliRunner().invoke(main, ["analyzer", "replay", *map(str, arguments)], env=key)


def _told(ran: Result) -> tuple[int, dict[str, bool]]:
    parts = json.loads(ran.stdout)["parts"]
    return ran.exit_code, {each["part"]: each["same"] for each in parts}


def test_what_was_stored_leads_to_the_same_request_and_decision(tmp_path: Path) -> None:
    assert _told(_run(7, "--db", _stored(tmp_path), "--json")) == (0, SAME)


def test_people_are_told_part_by_part(tmp_path: Path) -> None:
    lines = _run(7, "--db", _stored(tmp_path)).stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [
        ["evidence", "same"],
        ["request", "same"],
        ["answer", "same"],
        ["decision", "same"],
    ]


@pytest.mark.parametrize(
    ("changes", "different"),
    [
        ({"evidence_hash": "0" * 64}, {"evidence"}),
        ({"request": gzip.compress(_request(PACK).replace(b"You ", b"We "))}, {"request"}),
        ({"reply": gzip.compress(b"<html>")}, {"answer", "decision"}),
        ({"answer": kept.dump(answer("restart_service"))}, {"answer"}),
        ({"decision": "human"}, {"decision"}),
    ],
)
def test_what_is_different_is_named(
    tmp_path: Path, changes: dict[str, object], different: set[str]
) -> None:
    status, told = _told(_run(7, "--db", _stored(tmp_path, **changes), "--json"))
    assert (status, {name for name, same in told.items() if not same}) == (1, different)


def test_a_log_that_was_withheld_from_the_model_is_no_difference(tmp_path: Path) -> None:
    raw = Raw(series=scenario().raw.series, lines=(Line(ts="", level="error", message="boom"),))
    whole = assemble(scenario().subject, raw)
    path = _stored(
        tmp_path,
        evidence=gzip.compress(wire(whole).encode()),
        evidence_hash=digest(whole),
        request=gzip.compress(_request(without_logs(whole))),
    )
    assert _told(_run(7, "--db", path, "--json")) == (0, SAME)


def test_of_rules_it_is_shown_what_they_say_now(tmp_path: Path) -> None:
    path = _stored(
        tmp_path,
        analyzer="rules",
        model="",
        answer=kept.dump(rules.answer(PACK)),
        request=None,
        reply=None,
        decision="playbook",
        gates="[]",
    )
    told = {"evidence": True, "answer": True, "decision": True}
    assert _told(_run(7, "--db", path, "--json")) == (0, told)


async def test_another_model_can_be_asked(tmp_path: Path, serve: Serve) -> None:
    url, script = await stand_in(serve, otherwise=saying(action="restart_service"))
    config = tmp_path / "orchestrator.yml"
    projects = [{"name": "chatbot", "url": "http://127.0.0.1:1"}]
    config.write_text(json.dumps({"projects": projects, "analyzer": {"url": url}}))
    wish = (7, "--db", _stored(tmp_path), "--model", "claude-opus-5-5", "--config", config)
    status, told = _told(await asyncio.to_thread(_run, *wish, "--json"))
    assert (status, told["answer"], script.models) == (1, False, ["claude-opus-5-5"])


@pytest.mark.parametrize(
    ("number", "changes", "says"),
    [
        (8, {}, "no analysis 8 is there"),
        (7, {"evidence": None}, "its evidence is not there, or not any more"),
        (7, {"evidence": gzip.compress(b"{}")}, "no evidence"),
        (7, {"evidence": b"no gzip"}, "Not a gzipped file"),
    ],
)
def test_what_cannot_be_made_anew_is_told(
    tmp_path: Path, number: int, changes: dict[str, object], says: str
) -> None:
    ran = _run(number, "--db", _stored(tmp_path, **changes))
    assert (ran.exit_code, says in ran.stderr) == (2, True)
