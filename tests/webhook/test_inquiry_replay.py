"""What a webhook has asked, heard and decided is made anew from what it stored, and is the same."""

import asyncio
import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner

from orchestrator.config import Analyzer
from orchestrator.demo.messages.step import Play
from orchestrator.project import Control
from tests.conftest import Serve
from tests.messages import Script, refusing, saying, stand_in
from tests.waiting import until
from tests.webhook import make
from tests.webhook.live import talking, witness
from webhook import app
from webhook.__main__ import main
from webhook.store.database import Store

KEY = "sk-made-up-for-this-test"
ALERT = "ProjectSlow"
LOG = ("GET /search took 4112 ms", "GET /search took 3998 ms")
MEASURED = [{"claim": "a probe finds it up", "evidence_ids": ["S1"]}]
SAID = saying(action="clear_cache", confidence=0.9, rationale=MEASURED)


async def _decided(serve: Serve, folder: Path, plays: tuple[Play, ...]) -> tuple[str, Script]:
    """Let a webhook ask about a slow project; return what it decides. Without plays, no key."""
    model, script = await stand_in(serve, *plays)
    url = await serve(talking(LOG))
    analyzer = Analyzer(key=KEY if plays else None, url=model, allow={ALERT: ("clear_cache",)})
    config = make.config(
        projects={"email-blast": make.project(url=url, control=Control(url=f"{url}/control"))},
        prometheus=await serve(witness(ALERT)),
        analyzer=analyzer,
        playbooks={},
    )
    webhook = await serve(app.make(config, Store(folder / "x.db"), version="1"))
    headers = {"Content-Type": "application/json"}
    body = make.body(make.alert(alertname=ALERT))
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.post(f"{webhook}/alerts", data=body) as response:
            assert response.status == 200
        return await until(lambda: _decision(folder), within=30, what="a decision"), script


async def _decision(folder: Path) -> str | None:
    with closing(sqlite3.connect(folder / "x.db", timeout=5)) as db:
        row = db.execute("SELECT decision FROM analyses WHERE decision IS NOT NULL").fetchone()
    return str(row[0]) if row else None


def _replayed(folder: Path) -> tuple[int, dict[str, Any]]:
    """Replay the first analysis; return the status, and each part with whether it is the same."""
    command = ["analyzer", "replay", "1", "--db", str(folder / "x.db"), "--json"]
    ran = CliRunner().invoke(main, command, env={"ANTHROPIC_API_KEY": ""})
    told = json.loads(ran.stdout)
    return ran.exit_code, {each["part"]: each for each in told["parts"]}


@pytest.mark.parametrize(
    ("plays", "decision", "parts"),
    [
        ((SAID,), "auto", ["evidence", "request", "answer", "decision"]),
        pytest.param(
            (refusing("cyber"), SAID),
            "auto",
            ["evidence", "request", "answer", "decision"],
            marks=pytest.mark.long,
        ),
        pytest.param((), "escalate", ["evidence", "answer", "decision"], marks=pytest.mark.long),
    ],
    ids=["a model", "a model that refused the log", "rules"],
)
async def test_a_replay_makes_the_same_of_what_was_stored(
    serve: Serve, tmp_path: Path, plays: tuple[Play, ...], decision: str, parts: list[str]
) -> None:
    decided, _ = await _decided(serve, tmp_path, plays)
    assert decided == decision
    status, told = await asyncio.to_thread(_replayed, tmp_path)
    assert (status, list(told)) == (0, parts)
    assert {each["then"] == each["now"] for each in told.values()} == {True}
    assert told["decision"]["now"] == decision


async def test_a_replay_notices_what_is_different(serve: Serve, tmp_path: Path) -> None:
    await _decided(serve, tmp_path, (SAID,))
    with closing(sqlite3.connect(tmp_path / "x.db", timeout=5)) as db:
        db.execute("UPDATE analyses SET answer = replace(answer, '0.9', '0.4'), request = NULL")
        db.commit()
    status, told = await asyncio.to_thread(_replayed, tmp_path)
    assert (status, [name for name, each in told.items() if not each["same"]]) == (1, ["answer"])


@pytest.mark.parametrize(
    "plays", [(SAID,), (refusing("cyber"), SAID)], ids=["at first", "without the log"]
)
async def test_the_evidence_that_is_kept_is_what_the_answer_was_given_to(
    serve: Serve, tmp_path: Path, plays: tuple[Play, ...]
) -> None:
    _, script = await _decided(serve, tmp_path, plays)
    with closing(sqlite3.connect(tmp_path / "x.db", timeout=5)) as db:
        [(evidence, request)] = db.execute("SELECT evidence, request FROM analyses WHERE id = 1")
    last = script.asked[-1]
    assert gzip.decompress(evidence).decode() == last.text
    assert json.loads(gzip.decompress(request)) == last.body
    assert len(script.asked) == len(plays)
