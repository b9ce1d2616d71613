"""What the webhook tells of itself: all that the table declares, and nothing else."""

import re
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import exposition, parser

from orchestrator.metrics import METRICS, exported
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook import action as law
from webhook.alert import Status
from webhook.approval import Decision
from webhook.change import Change
from webhook.guard import GUARDS
from webhook.instruments import Instruments
from webhook.recovery import Recovery, Trouble
from webhook.store.intake import Meaning

PAGE = Path(__file__).parents[2] / "docs/webhook-metrics.md"


def _families() -> dict[str, tuple[str, str]]:
    page = exposition.generate_latest(Instruments("1").registry).decode()
    return {
        f"{each.name}_total" if each.type == "counter" else each.name: (
            each.type,
            each.documentation,
        )
        for each in parser.text_string_to_metric_families(page)
        if not each.name.endswith("_created")
    }


def _told(instruments: Instruments, name: str) -> dict[Any, float]:
    """Return the values of a family by its labels: the value itself, where it has one label."""
    found = {
        tuple(sample.labels.values()): sample.value
        for family in instruments.registry.collect()
        for sample in family.samples
        if sample.name == name
    }
    return {key[0] if len(key) == 1 else key: value for key, value in found.items()}


def _above_zero(instruments: Instruments, name: str) -> dict[Any, float]:
    return {key: value for key, value in _told(instruments, name).items() if value}


def test_every_family_is_declared_and_every_declared_one_is_there() -> None:
    declared = exported("webhook").items()
    assert _families() == {name: (str(metric.kind), metric.help) for name, metric in declared}


def test_every_metric_is_explained_with_its_labels_and_no_other() -> None:
    rows = re.findall(r"(?m)^\| `(\w+)` \|(.*?)\| .+ \|$", PAGE.read_text(encoding="utf-8"))
    told = {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    assert len(rows) == len(told)
    assert told == {name: metric.labels for name, metric in exported("webhook").items()}


def test_it_tells_of_its_own_process() -> None:
    told = Instruments("1").registry.get_sample_value
    now = time.process_time()
    cpu, memory = told("process_cpu_seconds_total"), told("process_resident_memory_bytes")
    assert cpu is not None
    assert memory is not None
    assert (abs(cpu - now) < 1, memory > 1e6) == (True, True)


def test_two_of_them_share_nothing() -> None:
    first, second = Instruments("1"), Instruments("1")
    first.stage_failures.labels("repair").inc()
    told = second.registry.get_sample_value
    assert told("webhook_stage_failures_total", {"stage": "repair"}) is None


def test_the_errors_of_a_stage_begin_at_0_with_it() -> None:
    instruments = Instruments("1")
    with instruments.running("repair"):
        assert _told(instruments, "webhook_stage_failures_total") == {"repair": 0, "reload": 0}


def test_a_stored_notification_is_counted_and_so_are_the_copies_in_it() -> None:
    instruments = Instruments("1")
    meant = Counter({Meaning.OPENED: 1, Meaning.REPEATED: 2, Meaning.LATE: 3, Meaning.ENDED: 4})
    instruments.received(Status.FIRING, meant)
    assert _above_zero(instruments, "webhook_notifications_total") == {"firing": 1}
    assert _above_zero(instruments, "webhook_alerts_total") == meant
    assert _told(instruments, "webhook_duplicate_alerts_total") == {(): 5}


def _counted(instruments: Instruments) -> dict[str, dict[str, float]]:
    names = ("actions_total", "actions_failed_total", "action_duration_seconds_sum")
    return {name: _above_zero(instruments, f"webhook_{name}") for name in names}


@pytest.mark.parametrize(
    ("end", "failed"), [(law.State.COMPLETED, 0), (law.State.FAILED, 1), (law.State.UNKNOWN, None)]
)
def test_an_action_is_counted_at_its_intent_and_timed_to_its_end(
    end: law.State, failed: int | None
) -> None:
    pending = make.action(state=law.State.PENDING, executed_at=None)
    approved = pending.move(law.State.APPROVED, at=NOW)
    executing = approved.move(law.State.EXECUTING, at=NOW)
    instruments, open_ = Instruments("1"), make.incident()
    begun = (pending, approved, executing)
    instruments.stepped(Change(before=open_, after=open_, action_became=begun))
    over = (executing.move(end, at=NOW + 7 * SECOND),)
    instruments.stepped(Change(before=open_, after=open_, action_became=over))
    assert _counted(instruments) == {
        "actions_total": {"restart_service": 1},
        "actions_failed_total": {"restart_service": 1} if failed else {},
        "action_duration_seconds_sum": {} if failed is None else {"restart_service": 7},
    }


def test_an_action_that_people_refuse_is_no_action() -> None:
    pending = make.action(state=law.State.PENDING, executed_at=None)
    refused = pending.move(law.State.REJECTED, at=NOW + SECOND)
    instruments, open_ = Instruments("1"), make.incident()
    instruments.stepped(Change(before=open_, after=open_, action_became=(pending, refused)))
    assert _counted(instruments) == {
        "actions_total": {},
        "actions_failed_total": {},
        "action_duration_seconds_sum": {},
    }


def test_a_recovery_is_timed_by_what_was_healed() -> None:
    instruments = Instruments("1")
    instruments.recovered(Recovery(trouble=Trouble.OUTAGE, took=12 * SECOND))
    told = instruments.registry.get_sample_value
    outage = {"trouble": "outage"}
    assert told("webhook_recovery_seconds_sum", outage) == 12
    assert told("webhook_recovery_seconds_sum", {"trouble": "other"}) == 0
    assert told("webhook_recovery_seconds_bucket", {**outage, "le": "10.0"}) == 0
    assert told("webhook_recovery_seconds_bucket", {**outage, "le": "15.0"}) == 1


def test_a_question_is_counted_by_its_end() -> None:
    instruments = Instruments("1")
    for how in (Decision.APPROVED, Decision.EXPIRED, Decision.APPROVED):
        instruments.answered(how)
    assert _above_zero(instruments, "webhook_approvals_answered_total") == {
        "approved": 2,
        "expired": 1,
    }


def test_a_clock_that_was_set_back_makes_no_time_negative() -> None:
    instruments, open_ = Instruments("1"), make.incident()
    ran = make.action(executed_at=NOW + 3600 * SECOND).move(law.State.COMPLETED, at=NOW)
    instruments.stepped(Change(before=open_, after=open_, action_became=(ran,)))
    told = instruments.registry.get_sample_value
    taken = {"action": "restart_service"}
    assert told("webhook_action_duration_seconds_sum", taken) == 0


def test_a_guard_is_counted_when_it_begins_to_hold_an_incident() -> None:
    instruments, free = Instruments("1"), make.incident()
    cooling = free.wait(NOW, held="cooldown 30s", by="cooldown")
    silent = free.wait(NOW, held="silenced by alice", by="silence")
    for before, after in ((free, cooling), (cooling, cooling), (cooling, silent), (silent, free)):
        instruments.stepped(Change(before=before, after=after))
    instruments.stepped(Change(before=free, after=free.wait(NOW, held="not down by our own look")))
    assert _told(instruments, "webhook_guard_holds_total") == {
        **dict.fromkeys(GUARDS, 0),
        "cooldown": 1,
        "silence": 1,
    }


def test_a_stage_is_up_for_as_long_as_it_runs() -> None:
    instruments, seen = Instruments("1"), []
    with suppress(LookupError), instruments.running("repair"):
        seen.append(_told(instruments, "webhook_stage_up"))
        raise LookupError
    assert [*seen, _told(instruments, "webhook_stage_up")] == [{"repair": 1}, {"repair": 0}]


def test_only_projects_and_what_we_name_ourselves_are_labels() -> None:
    [told] = re.findall(r"(?m)^No name .*$", PAGE.read_text(encoding="utf-8"))
    used = {label for name in exported("webhook") for label in METRICS[name].labels}
    assert used == set(re.findall(r"`(\w+)`", told))
