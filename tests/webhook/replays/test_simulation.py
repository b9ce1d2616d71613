"""A replay of a day: the same under the same rules, and else different where the rules are."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.config import Config
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from tests.webhook.replays import day
from tests.webhook.test_recording import HOLD, told
from webhook import recording
from webhook.case import Case
from webhook.change import Change
from webhook.recording import Deed, Line, Mark, Recording, Silenced, What
from webhook.replay import Comparison, Verdict, compare
from webhook.simulation import Endless, Simulation

WITHIN = 15 * SECOND


def replayed(of: Recording, config: Config) -> Comparison:
    """Play it, and compare."""
    result = asyncio.run(Simulation(config, of, beyond=WITHIN).run())
    return compare(of, result, within=WITHIN)


def differences(of: Recording, guards: str, mode: str = "act") -> list[tuple[str, str, str]]:
    """Return what differs under other guards: when, what, and on which side."""
    text = day.CONFIG.replace("mode: act", f"mode: {mode}") + f"guards: {{{guards}}}\n"
    comparison = replayed(of, day.config(text))
    return [
        (f"{side.at:%H:%M}", f"{side.project} {side.action or side.what}", row.verdict)
        for _, rows in comparison.told
        for row in rows
        for side in (row.replay or row.then,)
        if row.verdict in (Verdict.ONLY_REPLAY, Verdict.ONLY_THEN) and isinstance(side, Deed)
    ]


def test_under_the_same_rules_the_same_is_done(that_day: Recording) -> None:
    comparison = replayed(that_day, day.config())
    counts = {each: comparison.count(each) for each in Verdict}
    assert counts == {
        Verdict.SAME: 17,
        Verdict.ONLY_REPLAY: 0,
        Verdict.ONLY_THEN: 0,
        Verdict.HELD: 7,
        Verdict.WOULD: 0,
    }


def test_the_same_is_done_at_nearly_the_same_time(that_day: Recording) -> None:
    comparison = replayed(that_day, day.config())
    apart = [
        abs(row.replay.at - row.then.at)
        for _, rows in comparison.told
        for row in rows
        if row.replay and row.then
    ]
    assert max(apart) < 3 * SECOND


def test_with_one_attempt_people_are_asked_where_a_second_one_was_made(
    that_day: Recording,
) -> None:
    assert differences(that_day, "attempts: 1") == [
        ("03:00", "chatbot escalate", "only in replay"),
        ("03:00", "chatbot restart_service", "only then"),
        ("05:00", "social-media escalate", "only in replay"),
        ("05:00", "social-media restart_service", "only then"),
        ("05:00", "social-media escalate", "only then"),
        ("19:12", "social-media escalate", "only in replay"),
        ("19:12", "social-media restart_service", "only then"),
    ]


def test_with_a_longer_cooldown_the_second_attempt_comes_later(that_day: Recording) -> None:
    assert differences(that_day, "cooldown: 2m") == [
        ("03:00", "chatbot restart_service", "only then"),  # it was well by itself by then
        ("05:00", "social-media restart_service", "only then"),
        ("05:00", "social-media escalate", "only then"),
        ("05:02", "social-media restart_service", "only in replay"),
        ("05:02", "social-media escalate", "only in replay"),
    ]


def test_where_only_observing_is_wanted_nothing_is_done(that_day: Recording) -> None:
    found = differences(that_day, "", "observe")
    assert (len(found), {verdict for *_, verdict in found}) == (17, {"only then"})


def test_where_people_are_always_asked_nobody_had_answered(that_day: Recording) -> None:
    found = differences(that_day, "approval: always")
    asked = [what for _, what, verdict in found if verdict == "only in replay"]
    done = [what for _, what, verdict in found if verdict == "only then"]
    assert asked == [
        "email-blast restart_service",
        "chatbot restart_service",
        "social-media restart_service",
        "social-media escalate",
        "email-blast pause_service",
        "email-blast restart_service",
        "chatbot rollback_deployment",
        "social-media restart_service",
        "social-media restart_service",
    ]
    assert len(done) == 12


def test_a_fleet_that_falls_is_repaired_where_so_many_are_no_storm(that_day: Recording) -> None:
    found = differences(that_day, "fleet_min: 4")
    assert found[:4] == [
        ("21:00", "email-blast restart_service", "only in replay"),
        ("21:00", "email-blast restart_service", "only in replay"),
        ("21:00", "email-blast escalate", "only in replay"),
        ("21:00", "chatbot restart_service", "only in replay"),
    ]
    assert found[-1] == ("21:00", " fleet", "only then")


def test_a_part_of_the_day_is_compared_as_in_the_whole(that_day: Recording) -> None:
    since = day.MIDNIGHT + timedelta(hours=19, minutes=10)
    until = since + timedelta(minutes=10)
    part = that_day.part(since, until, warm_up=timedelta(hours=1))
    assert differences(part, "attempts: 1") == [
        ("19:12", "social-media escalate", "only in replay"),
        ("19:12", "social-media restart_service", "only then"),
    ]


def test_of_a_part_in_which_nothing_happened_there_is_nothing_to_tell(that_day: Recording) -> None:
    since = day.MIDNIGHT + timedelta(hours=22, minutes=30)
    part = that_day.part(since, None, warm_up=timedelta(hours=1))
    comparison = replayed(part, day.config())
    assert (comparison.notifications, comparison.told) == (0, ())


def of(*lines: Line) -> Recording:
    """Put a recording together that ends after five minutes."""
    end = Mark(at=NOW + 300 * SECOND, kind="end")
    return recording.of(sorted([*lines, end], key=lambda line: line.at))


def held(comparison: Comparison) -> list[tuple[int, str]]:
    """Return what was held, by which guard."""
    return [
        (round((row.at - NOW).total_seconds()), getattr(row.replay, "guard", ""))
        for _, rows in comparison.told
        for row in rows
        if row.verdict is Verdict.HELD
    ]


def test_what_people_said_holds_in_the_replay_until_it_ends() -> None:
    hold = replace(HOLD, at=NOW - SECOND)
    comparison = replayed(of(hold, told()), make.config())
    acts = [row.at for _, rows in comparison.told for row in rows if row.verdict != Verdict.HELD]
    assert held(comparison)[0] == (0, "hold")
    assert acts[0] == NOW + 60 * SECOND


def test_what_people_took_back_does_not_hold_any_more() -> None:
    hold = replace(HOLD, at=NOW - SECOND)
    lifted = recording.Lifted(at=NOW + 10 * SECOND, number=hold.number, by="ann")
    comparison = replayed(of(hold, told(), lifted), make.config())
    acts = [row.at for _, rows in comparison.told for row in rows if row.verdict != Verdict.HELD]
    assert acts[0] == NOW + 10 * SECOND


def test_a_silence_holds_until_it_is_over() -> None:
    begins, ends = (
        Silenced(at=NOW + after * SECOND, fingerprint="4143cc85196c12e8", text=text)
        for after, text in ((16, "silenced by ann"), (100, None))
    )
    comparison = replayed(of(told(), begins, ends), make.config())
    acts = [row.at for _, rows in comparison.told for row in rows if row.verdict != Verdict.HELD]
    assert (16, "silence") in held(comparison)
    assert acts[:2] == [NOW, NOW + 100 * SECOND]


def test_notifications_alone_tell_what_would_be_done_until_all_is_over() -> None:
    alone = recording.of([told()])
    comparison = replayed(alone, make.config())
    said = [
        getattr(row.replay, "what", "")
        for _, rows in comparison.told
        for row in rows
        if row.verdict is Verdict.WOULD
    ]
    assert said == [What.ACT, What.ACT, What.ESCALATE]


def test_a_step_that_begins_itself_again_ends_the_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    async def turn(case: Case, *_: object) -> Change:
        return Change(before=case.incident, after=case.incident.wait(NOW))

    monkeypatch.setattr("webhook.simulation.repair.step", turn)
    with pytest.raises(Endless, match="a step of incident 1 begins itself again without end"):
        replayed(recording.of([told()]), make.config())


def test_what_we_paused_is_paused_in_the_replay(that_day: Recording) -> None:
    comparison = replayed(that_day, day.config())
    undone = [
        row.verdict
        for _, rows in comparison.told
        for row in rows
        if getattr(row.then, "action", "") == "resume_service"
    ]
    assert undone == [Verdict.SAME]
