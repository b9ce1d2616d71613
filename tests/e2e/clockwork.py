"""A webhook whose clock is wrong: by as many seconds as a file says, read at every look.

Everything else is `python -m webhook`. Its clock is read in one place, and that is replaced.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator import clock
from webhook.__main__ import main


def set_wrong(offset: Path) -> None:
    """Let the clock of this process be wrong from now on."""

    def now() -> datetime:
        wrong = timedelta(seconds=float(offset.read_text(encoding="utf-8")))
        return datetime.now(tz=UTC) + wrong  # noqa: TID251  the clock itself

    clock.now = now


if __name__ == "__main__":
    set_wrong(Path(sys.argv.pop(1)))
    main(prog_name="python -m webhook")
