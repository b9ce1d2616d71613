"""The audit: what was done, by whom, and the head that proves it."""

from typing import Annotated

from pydantic import Field

from webhook.api.operation import Answer, Call, Limit, Number, Query, Table
from webhook.audit import Row
from webhook.store import trail
from webhook.token import READERS

table = Table("audit")


class Entry(Answer):
    """One row. Its hash is the SHA-256 of all the others."""

    id: int
    at: str
    actor: str
    what: str
    data: str = Field(description="JSON text, letter by letter as the hash was taken of it")
    previous: str
    hash: str


class Entries(Answer):
    """A page; `next` is the `after` of the next one. It may be short of rows and have a next."""

    audit: list[Entry]
    next: int | None


class Wanted(Query):
    """Which rows, oldest first."""

    after: Number = Field(default=0, description="rows above this id; `next` has it")
    limit: Limit = 50
    what: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="of one kind, like `action moved`"
    )
    project: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,63}$")] | None = Field(
        default=None, description="that name this project"
    )


class Standing(Answer):
    """How far the audit goes."""

    rows: int = Field(description="the id of the newest row; it only ever grows")
    hash: str = Field(description="of the newest row")
    head: str = Field(description="`rows:hash`, for `audit verify --head`")
    begins_behind: int = Field(description="rows up to this id were let go of; 0: none")


@table.get("/api/v1/audit", roles=READERS, query=Wanted, answer=Entries)
async def list_audit(call: Call) -> Entries:
    """Return rows of the audit after an id, oldest first."""
    asked = call.asked(Wanted)
    found = await call.desk.read(
        trail.page, after=asked.after, limit=asked.limit, what=asked.what, project=asked.project
    )
    return Entries(audit=[_shown(each) for each in found.rows], next=found.next)


def _shown(row: Row) -> Entry:
    entry = row.entry
    return Entry(
        id=row.id,
        at=entry.at,
        actor=entry.actor,
        what=entry.what,
        data=entry.data,
        previous=row.previous,
        hash=row.hash,
    )


@table.get("/api/v1/audit/head", roles=READERS, answer=Standing)
async def show_audit_head(call: Call) -> Standing:
    """Return the head of the audit, to be kept elsewhere."""
    begin, head = await call.desk.read(trail.ends)
    return Standing(rows=head.rows, hash=head.hash, head=str(head), begins_behind=begin.rows)
