"""A command, run as people run it: a process of its own, its two streams and its exit status."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WITHIN = 60.0  # seconds for a command


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command said and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """What it printed, which is one JSON object."""
        read: dict[str, Any] = json.loads(self.out)
        return read


async def orchestrator(
    *arguments: str, at: str | None = None, env: Mapping[str, str] | None = None
) -> Ran:
    """Run `orchestrator ARGUMENTS`; *at* is where the webhook is."""
    return await ran(sys.executable, "-m", "orchestrator", *arguments, at=at, env=env)


async def ran(*command: str, at: str | None = None, env: Mapping[str, str] | None = None) -> Ran:
    """Run *command* to its end."""
    where = {"ORCHESTRATOR_URL": at} if at else {}
    around = {**os.environ, "TZ": "UTC", **where, **(env or {})}  # noqa: TID251  the child's
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=around,
    )
    try:
        async with asyncio.timeout(WITHIN):
            out, err = await process.communicate()
    except BaseException:  # raised on; only the process must not outlive its test
        process.kill()
        await process.communicate()
        raise
    assert process.returncode is not None
    return Ran(status=process.returncode, out=out.decode(), err=err.decode())
