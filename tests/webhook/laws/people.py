"""People: what they answer, and what they ask for by hand."""

from collections.abc import Sequence

from orchestrator import clock
from tests.webhook.laws.rules import COMMANDS
from tests.webhook.laws.story import Story
from webhook.approval import Decision
from webhook.catalogue import CATALOGUE, UnknownStep, remedy
from webhook.remedies.command import PREFIX
from webhook.request import forcing
from webhook.store import approvals, requests
from webhook.store.approvals import Undecidable
from webhook.store.database import atomic
from webhook.store.requests import UnderWay

WISHES = (*CATALOGUE, *(PREFIX + name for name in COMMANDS))
_BUSY = """SELECT 1 FROM actions WHERE project = ?1 AND state IN
    ('pending', 'approved', 'executing') UNION ALL
    SELECT 1 FROM requests WHERE project = ?1 AND outcome IS NULL"""


def ask(story: Story, project: str, action: str, force: Sequence[str]) -> None:
    """Ask for an action; it is refused where something is under way, and only there."""
    config, busy = story.rules.config(), story.rows(_BUSY, project)
    try:
        remedy(action, config.commands)
    except UnknownStep:
        return  # nobody gets so far
    if project not in config.projects:
        return
    try:
        with atomic(story.db):
            requests.ask(
                story.db,
                project,
                action,
                reason="so",
                forced=forcing(force),
                by="ann",
                at=story.now,
            )
        assert not busy, "asked for beside what is under way"
    except UnderWay:
        assert busy, "refused, and nothing is under way"


def answer(story: Story, decision: Decision, older: int) -> None:
    """Answer one of the newest questions; it is refused where nothing is asked any more."""
    asked = story.rows("SELECT * FROM approvals ORDER BY id DESC LIMIT 1 OFFSET ?", older)
    if not asked:
        return
    (row,) = asked
    open_ = row["decision"] is None and row["expires_at"] > clock.written(story.now)
    try:
        with atomic(story.db):
            approvals.decide(story.db, row["id"], decision, by="ann", why="so", at=story.now)
        assert open_, "answered what was not asked any more"
    except Undecidable:
        assert not open_
