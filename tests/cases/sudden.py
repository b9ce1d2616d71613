"""A webhook that is killed at one moment of a repair, which no timing from outside could hit.

Everything else is `python -m webhook`. The first argument names the moment.
"""

import os
import signal
import sqlite3
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import NoReturn

from aiohttp import ClientSession

from orchestrator.commands import Command
from orchestrator.project import Control, Project
from webhook import executor, process
from webhook.__main__ import main
from webhook.action import Action
from webhook.case import Case
from webhook.incident import State
from webhook.store import work

INTENT = "intent"  # it is committed, and nobody has taken it up
TAKEN = "taken"  # it was taken up, and the command is not begun
DONE = "done"  # the command was answered, and nothing of that is stored


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def _at_intent() -> None:
    claim = work.claim

    def dies(db: sqlite3.Connection, *, epoch: int, at: datetime) -> Case | None:
        case = claim(db, epoch=epoch, at=at)  # a claim that is not committed is none
        if case is not None and case.incident.state is State.REPAIRING:
            _die()
        return case

    work.claim = dies


def _when_taken() -> None:
    async def ask(session: object, control: Control, action: Action) -> executor.Outcome:  # noqa: ARG001  one signature for all
        _die()

    async def run(command: Command, action: Action) -> process.End:  # noqa: ARG001  one signature for all
        _die()

    executor.ask, process.run = ask, run


def _when_done() -> None:
    execute = executor.execute

    async def dies(
        session: ClientSession, project: Project, action: Action, commands: Mapping[str, Command]
    ) -> executor.Outcome:
        await execute(session, project, action, commands)
        _die()

    executor.execute = dies


MOMENTS = {INTENT: _at_intent, TAKEN: _when_taken, DONE: _when_done}


if __name__ == "__main__":
    MOMENTS[sys.argv.pop(1)]()
    main(prog_name="python -m webhook")
