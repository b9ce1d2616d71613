"""The day of a fleet, lived once for all tests."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from tests.webhook.replays import day
from webhook import recording
from webhook.recording import Recording
from webhook.store import reader, recorded


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Let a day go by; return its database."""
    path = tmp_path_factory.mktemp("day") / "day.db"
    asyncio.run(day.live(path))
    return path


@pytest.fixture(scope="session")
def that_day(lived: Path) -> Recording:
    """Return what the database of that day has recorded."""
    with closing(reader.connect(lived)) as db:
        return recording.of(recorded.lines(db))
