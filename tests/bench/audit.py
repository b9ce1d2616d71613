"""How long an audit takes to be verified, whatever was done to it: `make bench-audit`."""

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import click

from tests.webhook.forgery import SEEN, SHOWN_BY_A_HEAD, forged, written
from webhook.store import reader, trail

T = TypeVar("T")

NEAR_THE_END = 10  # rows before it, so that nearly all are read


@click.command()
@click.option("--rows", default=100_000, show_default=True, help="How many the audit has.")
def main(*, rows: int) -> None:
    """Verify an audit, whole and forged in every way, and print what was found and how fast."""
    with tempfile.TemporaryDirectory(prefix="orchestrator-bench-") as folder:
        whole = Path(folder) / "whole.db"
        noted, took = _timed(lambda: written(whole, rows))
        click.echo(f"{rows} rows written in {took:.2f} s")
        for name, forger in {"whole": None, **SEEN, **SHOWN_BY_A_HEAD}.items():
            path = Path(folder) / "forged.db"
            path.write_bytes(whole.read_bytes())
            if forger:
                forged(path, forger, rows - NEAR_THE_END)
            with closing(reader.connect(path)) as db:
                verdict, took = _timed(lambda db=db: trail.verified(db, [noted]))  # type: ignore[misc]  # run at once
            found = f"row {verdict.broken.row}" if verdict.broken else "whole"
            click.echo(f"{name:<24}{found:<14}{took:6.2f} s")


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    began = time.perf_counter()
    return work(), time.perf_counter() - began


if __name__ == "__main__":
    main()
