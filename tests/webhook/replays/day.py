"""One day of five projects, in which everything happens once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from orchestrator.config import Config, decode
from tests.webhook.replays.fleet import Fleet
from webhook.approval import Decision
from webhook.incident import DOWN
from webhook.store.database import connect

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
CONFIG = """
defaults: {mode: act}
projects:
  - {name: email-blast, url: "http://127.0.0.1:1"}
  - {name: chatbot, url: "http://127.0.0.1:2"}
  - {name: social-media, url: "http://127.0.0.1:3"}
  - {name: billing, url: "http://127.0.0.1:4", critical: true}
  - {name: archive, url: "http://127.0.0.1:5", mode: observe}
analyzer: {mode: "off"}  # this fleet has none; a replay asks none
playbooks:
  ProjectDown: [restart_service]
  ProjectHighErrorRate: [rollback_deployment, restart_service]
  ProjectHighMemory: [restart_service]
  ProjectHighCPU: [pause_service]
"""


def config(text: str = CONFIG) -> Config:
    """Read a configuration."""
    return decode(text, source="orchestrator.yml")


Happens = Callable[[Fleet], None]


async def live(path: Path) -> None:
    """Let the day go by, and leave its database at *path*."""
    db = connect(":memory:")
    day = Fleet(db=db, config=config(), now=MIDNIGHT)
    for hours, what in _HAPPENS:
        day.after(timedelta(hours=hours), partial(what, day))
    await day.pass_by(MIDNIGHT + timedelta(hours=23))
    db.execute("VACUUM INTO ?", (str(path),))
    db.close()


def _breaks(project: str, alertname: str = DOWN, *, helps: int = 1) -> Happens:
    return lambda day: day.breaks(project, alertname, helps=helps)


def _heals(*projects: str) -> Happens:
    def heal(day: Fleet) -> None:
        for each in projects:
            day.heals(each)

    return heal


def _answered(decision: Decision) -> Happens:
    return lambda day: day.answer(decision)


def _held(project: str) -> Happens:
    return lambda day: day.hold(project, timedelta(minutes=5))


MANY = ("email-blast", "chatbot", "billing")
MEMORY, CPU, ERRORS = "ProjectHighMemory", "ProjectHighCPU", "ProjectHighErrorRate"
_HAPPENS: tuple[tuple[float, Happens], ...] = (
    (1.0, _breaks("email-blast")),
    (3.0, _breaks("chatbot", helps=2)),
    (5.0, _breaks("social-media", helps=0)),
    (5.5, _heals("social-media")),
    (7.0, _breaks("billing", MEMORY)),
    (7.02, _answered(Decision.APPROVED)),
    (9.0, _breaks("billing", MEMORY)),
    (9.02, _answered(Decision.REJECTED)),
    (9.5, _heals("billing")),
    (11.0, _breaks("email-blast", CPU)),
    (13.0, _breaks("archive")),
    (13.1, _heals("archive")),
    (15.0, _held("email-blast")),
    (15.01, _breaks("email-blast")),
    (17.0, _breaks("chatbot", ERRORS)),
    (19.0, _breaks("social-media")),
    (19.2, _breaks("social-media")),
    *((21.0, _breaks(each)) for each in MANY),
    (21.05, _heals(*MANY)),
)
