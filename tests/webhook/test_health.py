"""How the webhook was is kept once a minute, for those who look back."""

import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.webhook import make
from tests.webhook.make import NOW
from webhook.health import EVERY, Health, snapshot
from webhook.instruments import Instruments
from webhook.store.database import Store
from webhook.store.intake import receive


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orchestrator.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    opened = Store(path)
    yield opened
    opened.close()


def _kept(path: Path) -> list[tuple[str, dict[str, float]]]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as reader:
        rows = reader.execute("SELECT at, figures FROM system_health ORDER BY id").fetchall()
    reader.close()
    return [(at, json.loads(figures)) for at, figures in rows]


async def test_a_snapshot_says_how_the_database_and_the_process_are(
    store: Store, path: Path
) -> None:
    sent = make.alert()
    await store(receive, make.notification(sent), make.body(sent), at=NOW)
    instruments = Instruments("1")
    with instruments.running("health"):
        await Health(store, instruments, lambda: NOW, pause=0).once()
    [(at, figures)] = _kept(path)
    process = {name: figures.pop(name) > 0 for name in list(figures) if name.startswith("process")}
    assert (at, figures) == (
        "2026-11-21T12:00:00.000000Z",
        {
            'webhook_incidents_open{state="open"}': 1,
            'webhook_stage_up{stage="health"}': 1,
            "webhook_audit_rows": 2,
            "webhook_episodes_open": 1,
            "webhook_queue_length": 1,
        },
    )
    assert process == {"process_cpu_seconds_total": True, "process_resident_memory_bytes": True}


@pytest.mark.parametrize(("every", "kept"), [(EVERY, 1), (0, 3)])
async def test_it_is_kept_when_its_time_has_come(
    store: Store, path: Path, every: float, kept: int
) -> None:
    health = Health(store, Instruments("1"), lambda: NOW, every=every, pause=0)
    for _ in range(3):
        await health.once()
    assert len(_kept(path)) == kept


async def test_what_cannot_be_kept_is_tried_again_a_minute_later(store: Store, path: Path) -> None:
    health = Health(store, Instruments("1"), lambda: NOW, pause=0)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("DROP TABLE system_health")
    other.close()
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await health.once()
    await health.once()


def test_what_is_0_and_what_is_not_worth_it_is_left_out() -> None:
    instruments = Instruments("1")
    instruments.reconciled_at.set(NOW.timestamp())
    instruments.stage_failures.labels("repair").inc(2)
    instruments.lagged(0.25)
    shown = snapshot(instruments)
    assert {name: value for name, value in shown.items() if not name.startswith("process")} == {
        'webhook_stage_failures_total{stage="repair"}': 2,
        "webhook_event_loop_lag_max_seconds": 0.25,
    }
