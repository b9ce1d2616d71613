"""Claude: the client, which asks questions and remembers which model does not answer."""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Final

from orchestrator import clock
from orchestrator.clock import Clock
from webhook.analyzer.call import Ledger
from webhook.claude import connection
from webhook.claude.account import Account
from webhook.claude.circuits import Circuits
from webhook.claude.connection import Connection
from webhook.claude.heard import Heard
from webhook.claude.question import Around, Counting, Question
from webhook.evidence.item import Pack

WITHIN: Final = 45.0  # seconds for all calls of one question
UNOPENED: Final = Heard(why="the client for Claude cannot be opened", reason="other")

logger = logging.getLogger(__name__)


class Claude:
    """A client of Anthropic's. Lives as long as the program.

    Nothing of the SDK is imported before it is warmed or asked.
    """

    def __init__(
        self,
        account: Account,
        counting: Counting,
        *,
        now: Clock = clock.now,
        within: float = WITHIN,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.account = account
        self.circuits = Circuits(account.models)
        self._around = Around(
            account=account,
            circuits=self.circuits,
            counting=counting,
            now=now,
            within=within,
            chance=chance,
        )
        self._connection: asyncio.Task[Connection | None] | None = None

    async def warm(self) -> None:
        """Import the SDK, so that the first question need not wait for it."""
        await self._connected()

    async def close(self) -> None:
        """Close all connections; nothing may be asked afterwards. Whatever fails is logged."""
        if self._connection is None:
            return
        connected = await self._connected()
        try:
            if connected is not None:
                await connected.close()
        except Exception:  # whoever ends has more to end
            logger.exception("claude not closed")

    async def ask(self, pack: Pack, ledger: Ledger) -> Heard:
        """Ask for an answer to *pack*; return it, or a reason for people why there is none.

        Every call is reserved in *ledger* before it is made, and settled after it, also when this
        is cancelled. Raises what *ledger* raises.
        """
        connected = await self._connected()
        if connected is None:
            return UNOPENED
        return await Question(self._around, connected, pack, ledger).put()

    async def _connected(self) -> Connection | None:
        """Return the connection, made once, in a thread: to import the SDK takes seconds.

        None: it cannot be made now. Who asks next tries again.
        """
        if self._connection is None:
            self._connection = asyncio.create_task(asyncio.to_thread(self._open))
        opening = self._connection
        connected = await asyncio.shield(opening)
        if connected is None and self._connection is opening:
            self._connection = None
        return connected

    def _open(self) -> Connection | None:
        try:
            opened = connection.opened(self.account.key, self.account.url)
            connection.warn_of_ends(self.account.models)
        except Exception:  # too many files are open, a package is broken, a URL is none, ...
            logger.exception("claude not opened")
            return None
        return opened
