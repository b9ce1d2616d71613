"""An export is read as it was written, and harms no spreadsheet."""

import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhook.make import NOW
from webhook import audit
from webhook.audit import GENESIS, Entry, Row, entry
from webhook.export import BadExport, jsonl, read, table


def _row(**changes: str) -> Row:
    made = entry("said", {}, at=NOW)
    own = Entry(**{"at": made.at, "actor": "ann", "what": "said", "data": "{}", **changes})
    return Row(id=1, entry=own, previous=GENESIS, hash=audit.digest(own, id=1, previous=GENESIS))


@given(text=st.text())
def test_json_lines_are_read_as_they_were_written(text: str) -> None:
    rows = [_row(actor=text), _row(data=text)]
    lines = list(jsonl(rows))
    assert ([line.count("\n") for line in lines], list(read(lines))) == ([1, 1], rows)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
@pytest.mark.parametrize("field", ["actor", "what", "data", "at"])
def test_no_cell_of_a_table_is_a_formula(field: str, text: str) -> None:
    lines = list(table([_row(**{field: text})]))
    [names, cells] = csv.reader(lines, strict=True)
    assert dict(zip(names, cells, strict=True))[field] == f"'{text}"


GOOD = json.loads(next(jsonl([_row()])))


@pytest.mark.parametrize(
    "said",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        json.dumps({**GOOD, "more": 1}),
        json.dumps({**GOOD, "id": "1"}),
        json.dumps({**GOOD, "id": True}),
        json.dumps({**GOOD, "data": {}}),
        json.dumps({name: value for name, value in GOOD.items() if name != "hash"}),
    ],
)
def test_a_line_that_is_no_row_is_named(said: str) -> None:
    with pytest.raises(BadExport, match=r"^line 2 is no row of an export as JSON lines: "):
        list(read([json.dumps(GOOD), said]))
