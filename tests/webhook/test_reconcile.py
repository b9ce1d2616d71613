"""Reconcile: the union of all peers tells what fires, and only all of them tell what does not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook.alertmanager import Seen, Shown, Silence, Untold
from webhook.reconcile import Miss, Reasons, compare, missing, spoken
from webhook.store.reconciliation import (
    Appeared,
    Finding,
    Gone,
    Known,
    Silenced,
    Unsilenced,
)

A, B = "http://a", "http://b"
LONG = timedelta(hours=1)
SILENCE = Silence(
    who="alice", comment="planned work", starts_at=NOW, ends_at=NOW + timedelta(hours=2, minutes=3)
)
TEXT = "silenced until 14:03 UTC by alice: planned work"


def _known(**changes: Any) -> Known:  # noqa: ANN401  any field of it
    given: dict[str, Any] = {
        "id": 1,
        "fingerprint": "f",
        "started_at": NOW,
        "seen_at": NOW,
        "silenced": None,
    }
    return Known(**{**given, **changes})


def _shown(fingerprint: str = "f", *, after: float = 0, **changes: Any) -> Shown:  # noqa: ANN401
    raw = make.alert(fingerprint=fingerprint, started=NOW + after * SECOND)
    alert = make.notification(raw).alerts[0]
    return Shown(alert=alert, updated_at=NOW + 60 * SECOND, **changes)


def _seen(*shown: Shown, up_for: timedelta = LONG, at: datetime = NOW) -> Seen:
    return Seen(alerts=shown, at=at, up_for=up_for)


def _appeared(shown: Shown, *, silenced: str | None = None, beside: bool = False) -> Appeared:
    return Appeared(
        alert=shown.alert, updated_at=shown.updated_at, silenced=silenced, beside=beside
    )


def _compare(
    known: Sequence[Known],
    peers: dict[str, Seen | None],
    *,
    missed_for: float | None = None,
    reasons: Reasons | None = None,
) -> tuple[Finding, ...]:
    misses = {} if missed_for is None else {each.id: Miss(since=0.0, at=NOW) for each in known}
    return compare(known, peers, misses, reasons=reasons or {}, now=missed_for or 0.0)


HERE, AFTER = _shown(), _shown(after=20)
GONE = (Gone(episode=_known(), ended_at=NOW),)


@pytest.mark.parametrize(
    ("known", "peers", "expected"),
    [
        ([], {A: _seen()}, ()),
        ([], {A: _seen(HERE)}, (_appeared(HERE),)),
        ([], {A: _seen(HERE), B: _seen(HERE)}, (_appeared(HERE),)),
        ([], {A: _seen(), B: _seen(HERE)}, (_appeared(HERE),)),
        ([], {A: None, B: _seen(HERE)}, (_appeared(HERE),)),
        ([], {A: _seen(HERE, up_for=SECOND)}, (_appeared(HERE),)),
        ([], {A: _seen(HERE), B: _seen(AFTER)}, (_appeared(AFTER),)),
        ([_known()], {A: _seen(HERE)}, ()),
        ([_known()], {A: _seen(), B: _seen(HERE)}, ()),
        ([_known()], {A: _seen(_shown(after=-20))}, ()),
        ([_known()], {A: _seen(_shown(after=0.0009))}, ()),
        ([_known()], {A: _seen(AFTER)}, (_appeared(AFTER, beside=True),)),
        ([_known()], {A: _seen(AFTER), B: _seen(HERE)}, ()),
        ([_known()], {A: _seen(_shown(inhibited=True))}, ()),
    ],
)
def test_what_a_single_peer_shows_is_there(
    known: list[Known], peers: dict[str, Seen | None], expected: tuple[Finding, ...]
) -> None:
    assert _compare(known, peers) == expected


def test_the_peer_that_was_told_last_says_until_when_it_fired() -> None:
    newer = replace(HERE, updated_at=NOW + 90 * SECOND)
    for order in ((HERE, newer), (newer, HERE)):
        a, b = (_seen(each) for each in order)
        assert _compare([], {A: a, B: b}) == (_appeared(newer),)


def test_what_we_posted_ourselves_is_no_finding() -> None:
    raw = make.alert(source="orchestrator")
    ours = replace(HERE, alert=make.notification(raw).alerts[0])
    assert _compare([], {A: _seen(ours)}) == ()


@pytest.mark.parametrize(
    ("peers", "missed_for", "expected"),
    [
        ({A: _seen(), B: _seen()}, 120.1, GONE),
        ({A: _seen(), B: _seen()}, 120.0, ()),
        ({A: _seen(), B: _seen()}, None, ()),
        ({A: _seen(), B: _seen(up_for=120 * SECOND)}, 500.0, GONE),
    ],
)
def test_what_no_peer_shows_for_long_enough_is_gone(
    peers: dict[str, Seen | None], missed_for: float | None, expected: tuple[Finding, ...]
) -> None:
    assert _compare([_known()], peers, missed_for=missed_for) == expected


@pytest.mark.parametrize("up_for", [119 * SECOND, -LONG])
@pytest.mark.parametrize("others", [{}, {B: _seen()}])
def test_e16_a_peer_that_has_just_started_ends_nothing(
    up_for: timedelta, others: dict[str, Seen | None]
) -> None:
    assert _compare([_known()], {A: _seen(up_for=up_for), **others}, missed_for=500.0) == ()


def test_e17_a_peer_that_does_not_answer_ends_nothing() -> None:
    assert _compare([_known()], {A: _seen(), B: None}, missed_for=500.0) == ()


OTHER = _known(id=2, fingerprint="g")
BEFORE = {1: Miss(since=5.0, at=NOW)}


@pytest.mark.parametrize(
    ("peers", "before", "expected"),
    [
        ({A: _seen(at=NOW + 2 * SECOND), B: _seen(at=NOW + SECOND)}, {}, {
            1: Miss(since=9.0, at=NOW + SECOND), 2: Miss(since=9.0, at=NOW + SECOND),
        }),
        ({A: _seen(at=NOW + LONG)}, BEFORE, {
            1: Miss(since=5.0, at=NOW), 2: Miss(since=9.0, at=NOW + LONG),
        }),
        ({A: _seen(HERE)}, BEFORE, {2: Miss(since=9.0, at=NOW)}),
        ({A: _seen(), B: None}, BEFORE, BEFORE),
        ({A: _seen(HERE), B: None}, BEFORE, {}),
        ({A: _seen(up_for=SECOND)}, BEFORE, {**BEFORE, 2: Miss(since=9.0, at=NOW)}),
    ],
)  # fmt: skip
def test_the_count_begins_with_the_first_round_that_missed_it(
    peers: dict[str, Seen | None], before: dict[int, Miss], expected: dict[int, Miss]
) -> None:
    assert missing([_known(), OTHER], peers, before, now=9.0) == expected


LONGER = replace(SILENCE, who="bob", ends_at=NOW + timedelta(hours=4))
HELD = _shown(silenced_by=("s1",))
BY_BOB = "silenced until 16:00 UTC by bob: planned work"


@pytest.mark.parametrize(
    ("known", "shown", "reasons", "expected"),
    [
        ([_known()], [HELD], {"s1": SILENCE}, (Silenced(episode=_known(), text=TEXT),)),
        ([_known(silenced=TEXT)], [HELD], {"s1": SILENCE}, ()),
        ([_known(silenced=TEXT)], [HELD], {"s1": LONGER}, (
            Silenced(episode=_known(silenced=TEXT), text=BY_BOB),
        )),
        ([_known(silenced=TEXT)], [HELD], {"s1": None}, (
            Unsilenced(episode=_known(silenced=TEXT)),
        )),
        ([_known(silenced=TEXT)], [HERE], {}, (Unsilenced(episode=_known(silenced=TEXT)),)),
        ([_known(silenced=TEXT)], [HELD], {"s1": Untold()}, ()),
        ([_known()], [HELD], {"s1": Untold()}, (
            Silenced(episode=_known(), text="silenced in Alertmanager"),
        )),
        ([_known()], [HELD], {}, (
            Silenced(episode=_known(), text="silenced in Alertmanager"),
        )),
        ([_known()], [HERE, HELD], {"s1": SILENCE}, (Silenced(episode=_known(), text=TEXT),)),
        ([_known()], [_shown(silenced_by=("s1", "s2", "s3"))],
         {"s1": SILENCE, "s2": LONGER, "s3": None}, (Silenced(episode=_known(), text=BY_BOB),)),
        ([], [HELD], {"s1": SILENCE}, (_appeared(HELD, silenced=TEXT),)),
    ],
)  # fmt: skip
def test_a_silence_is_told_when_it_changes(
    known: list[Known], shown: list[Shown], reasons: Reasons, expected: tuple[Finding, ...]
) -> None:
    peers: dict[str, Seen | None] = {f"http://{place}": _seen(each) for place, each in
                                     enumerate(shown)}  # fmt: skip
    assert _compare(known, peers, reasons=reasons) == expected


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, TEXT),
        ({"ends_at": NOW + timedelta(days=1)}, TEXT.replace("14:03", "2026-11-22 12:00")),
        ({"who": "", "comment": ""}, "silenced until 14:03 UTC"),
        ({"who": "a\nb\x1b[31m", "comment": " x\t\u202ey "},
         "silenced until 14:03 UTC by a b [31m: x y"),
        ({"who": "w" * 61, "comment": "c" * 201},
         f"silenced until 14:03 UTC by {'w' * 59}…: {'c' * 199}…"),
        ({"who": "@here", "comment": "a](b)"},
         "silenced until 14:03 UTC by (at)here: a] (b)"),
    ],
)  # fmt: skip
def test_a_silence_is_said_on_one_short_line(changes: dict[str, Any], text: str) -> None:
    assert spoken(replace(SILENCE, **changes)) == text
