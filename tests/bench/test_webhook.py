"""What the benchmark of the webhook sends, what it notes of the answers, and how it judges them."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from math import inf

import pytest
from aiohttp import web
from click.testing import CliRunner

from tests.bench import webhook_result as result
from tests.bench.webhook import main
from tests.bench.webhook_load import Load, sending
from tests.bench.webhook_peer import make as make_peer
from tests.bench.webhook_result import GROUPS, STORM, Big, Kept, Run, verdicts
from tests.conftest import Serve
from webhook.alert import parse

NEW = Load(alerts=3, connections=2)


@pytest.mark.parametrize(
    ("load", "numbers"),
    [
        (NEW, [[0, 1, 2], [3, 4, 5]]),
        (replace(NEW, distinct=4), [[0, 1, 2], [3, 0, 1]]),
        (replace(NEW, remediate=True), [[0, 1, 2], [3, 4, 5]]),
    ],
)
def test_a_message_holds_alerts_that_the_webhook_takes_for_those_of_alertmanager(
    load: Load, numbers: list[list[int]]
) -> None:
    sent = [parse(body).alerts for body in islice(load.bodies(), 2)]
    assert [[int(alert.fingerprint, 16) for alert in each] for each in sent] == numbers
    assert {alert.remediable for each in sent for alert in each} == {load.remediate}
    assert sent[0][1].project == "project-0000000000000001"


def test_three_thousand_alerts_are_as_long_as_those_that_were_measured() -> None:
    length = len(next(Load(alerts=3_000, connections=1).bodies()))
    assert 2_300_000 < length < 2_600_000


def _receiver(status: int, *, keep: bool) -> tuple[web.Application, list[bytes]]:
    seen: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        seen.append(await request.read())
        answer = web.Response(status=status, text="so it is\n")
        if not keep:
            answer.force_close()
        return answer

    app = web.Application()
    app.router.add_post("/alerts", take)
    return app, seen


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("status", [200, 503])
async def test_the_sender_posts_on_and_notes_every_answer(
    serve: Serve, status: int, *, keep: bool
) -> None:
    app, seen = _receiver(status, keep=keep)
    port = int((await serve(app)).rpartition(":")[2])
    async with sending(NEW, port) as taken:
        while len(taken.seconds) < 20:  # noqa: ASYNC110  until it was answered so often
            await asyncio.sleep(0.01)
    assert (taken.statuses, taken.broken) == ({str(status): len(seen)}, 0)
    assert len(set(seen)) == len(seen) >= 20


async def test_a_message_that_gets_no_answer_is_counted(serve: Serve) -> None:
    async def cut(request: web.Request) -> web.Response:
        assert request.transport
        request.transport.abort()
        return web.Response()

    app = web.Application()
    app.router.add_post("/alerts", cut)
    port = int((await serve(app)).rpartition(":")[2])
    async with sending(NEW, port) as taken:
        pass
    assert (taken.statuses, taken.broken) == ({}, 2)


def test_the_peer_reads_a_message_and_answers_200() -> None:
    answer = make_peer().test_client().post("/alerts", json=json.loads(next(NEW.bodies())))
    assert (answer.status_code, answer.text) == (200, "3 firing\n")


def _run(load: Load, *, rate: int = 4_000, keeps: bool = True) -> Run:
    return Run(
        side="ours" if keeps else "flask",
        load=load,
        seconds=10.0,
        messages=rate * 10,
        p50=0.006,
        p99=0.009,
        slowest=0.020,
        cpu_seconds=9.0,
        sender_share=0.3,
        flushes=2_000,
        statuses={"200": rate * 12},
        broken=0,
        kept=Kept(notifications=rate * 12, episodes=load.distinct or rate * 12 * load.alerts)
        if keeps
        else None,
    )


BIG = Big(
    side="ours",
    bytes=2_300_000,
    slowest=0.3,
    statuses={"200": 5},
    kept=Kept(notifications=5, episodes=15_000),
)
PEER = _run(STORM, rate=500, keeps=False)


@pytest.mark.parametrize(
    ("run", "runs", "multiple"),
    [
        (_run(STORM), [PEER], 8.0),
        (_run(replace(STORM, remediate=True)), [PEER], 8.0),
        (_run(GROUPS), [PEER], None),
        (PEER, [PEER], None),
        (_run(STORM), [replace(PEER, messages=0)], None),
    ],
)
def test_only_a_peer_that_was_sent_the_same_is_compared_with(
    run: Run, runs: list[Run], multiple: float | None
) -> None:
    assert result.compared(run, runs) == multiple


@pytest.mark.parametrize(
    ("run", "broken"),
    [
        (_run(STORM), []),
        (_run(GROUPS), []),
        (_run(NEW, rate=1), []),
        (_run(replace(GROUPS, distinct=1_000), rate=1_000), []),
        (replace(PEER, p99=9.0), []),
        (_run(STORM, rate=2_999), ["2,999 messages/s"]),
        (_run(GROUPS, rate=2_999), ["2,999 messages/s"]),
        (replace(_run(GROUPS), p99=0.011), ["p99 11.0 ms"]),
        (replace(_run(GROUPS), p99=inf), ["p99 inf ms"]),
        (replace(_run(STORM), p99=0.2), []),
        (replace(_run(STORM), sender_share=0.81), ["took 81% of its core"]),
        (replace(_run(STORM), broken=1), ["1 without an answer"]),
        (
            replace(_run(STORM), statuses={"200": 47_999, "503": 1}),
            ["1 of 48,000 messages refused"],
        ),
        (
            replace(_run(STORM), kept=Kept(notifications=47_999, episodes=48_000)),
            ["47,999 of 48,000 messages stored"],
        ),
        (
            replace(_run(STORM), kept=Kept(notifications=48_000, episodes=47_999)),
            ["47,999 of 48,000 alerts"],
        ),
    ],
)
def test_what_does_not_hold_is_said(run: Run, broken: list[str]) -> None:
    said = [each.what for each in verdicts([run], [BIG]) if not each.holds]
    assert [part in what for part, what in zip(broken, said, strict=True)] == [True] * len(broken)


@pytest.mark.parametrize(
    ("changed", "holds"),
    [
        (lambda big: big, True),
        (lambda big: replace(big, slowest=1.01), False),
        (lambda big: replace(big, statuses={"200": 4, "503": 1}), False),
        (lambda big: replace(big, kept=Kept(notifications=5, episodes=14_999)), False),
    ],
)
def test_a_body_of_three_thousand_alerts_is_judged(
    changed: Callable[[Big], Big], *, holds: bool
) -> None:
    assert [each.holds for each in verdicts([], [changed(BIG)])] == [holds]


def test_the_tables_hold_the_comparison() -> None:
    shown = result.render([PEER, _run(STORM)], [BIG])
    [cells] = [line.split("|") for line in shown.splitlines() if "8.0x" in line]
    assert [cell.strip() for cell in cells[1:-1]] == [
        *("1 x 640, new", "ours", "4,000", "8.0x", "4,000", "6.0", "9.0", "20.0"),
        *("9.00", "225", "200", "30%"),
    ]


def test_what_is_written_is_json() -> None:
    text = json.dumps(result.as_json([PEER, _run(STORM)], [BIG], {"seconds": 10}))
    read = json.loads(text)
    assert [each["of_the_peer"] for each in read["runs"]] == [None, 8.0]


@pytest.mark.parametrize("options", [["--seconds", "0"], ["--seconds", "a"], ["--what"]])
def test_a_wrong_option_ends_with_2(options: list[str]) -> None:
    assert CliRunner().invoke(main, options).exit_code == 2
