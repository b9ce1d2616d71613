"""An export: the audit as text that other programs read, and read again."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict

from orchestrator.errors import OrchestratorError
from webhook.audit import Entry, Row

COLUMNS = ("id", "at", "actor", "what", "data", "previous", "hash")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # how a cell begins that a spreadsheet executes


class BadExport(OrchestratorError):
    """The file is no export as JSON lines."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line} is no row of an export as JSON lines: {why}")
        self.line = line


def jsonl(rows: Iterable[Row]) -> Iterator[str]:
    """Write one line for each row; `data` stays the text that the hash was taken of."""
    for row in rows:
        told = {"id": row.id, **asdict(row.entry), "previous": row.previous, "hash": row.hash}
        yield json.dumps(told) + "\n"


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Write comma-separated values, of which no cell is a formula."""
    yield _line(COLUMNS)
    for row in rows:
        entry = row.entry
        texts = (entry.at, entry.actor, entry.what, entry.data, row.previous, row.hash)
        yield _line((str(row.id), *(_harmless(each) for each in texts)))


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _line(cells: Iterable[str]) -> str:
    made = io.StringIO()
    # all: by itself it quotes no \r, which begins a line to those who read it
    csv.writer(made, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(cells)
    return made.getvalue()


FORMS: Mapping[str, Callable[[Iterable[Row]], Iterator[str]]] = {"jsonl": jsonl, "csv": table}


def read(lines: Iterable[str]) -> Iterator[Row]:
    """Read the rows of an export as JSON lines; raise BadExport at the first that is none."""
    for place, line in enumerate(lines, start=1):
        yield _read(place, line)


def _read(place: int, line: str) -> Row:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadExport(place, "it is not JSON") from error
    if not isinstance(said, dict) or said.keys() != set(COLUMNS):
        raise BadExport(place, f"it has other fields than {', '.join(COLUMNS)}")
    texts = {name: said[name] for name in COLUMNS if name != "id"}
    if type(said["id"]) is not int or not all(isinstance(each, str) for each in texts.values()):
        raise BadExport(place, "a field has the wrong type")
    previous, made = texts.pop("previous"), texts.pop("hash")
    return Row(id=said["id"], entry=Entry(**texts), previous=previous, hash=made)
