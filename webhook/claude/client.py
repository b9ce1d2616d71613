"""Claude: the client, which asks questions and remembers which model does not answer."""

import asyncio
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
        self._connection: asyncio.Task[Connection] | None = None

    async def warm(self) -> None:
        """Import the SDK, so that the first question need not wait for it."""
        await self._connected()

    async def close(self) -> None:
        """Close all connections; nothing may be asked afterwards."""
        if self._connection is not None:
            await (await self._connection).close()

    async def ask(self, pack: Pack, ledger: Ledger) -> Heard:
        """Ask for an answer to *pack*; return it, or a reason for people why there is none.

        Every call is reserved in *ledger* before it is made, and settled after it, also when this
        is cancelled. Raises what *ledger* raises.
        """
        connected = await self._connected()
        return await Question(self._around, connected, pack, ledger).put()

    async def _connected(self) -> Connection:
        """Return the connection, made once, in a thread: to import the SDK takes seconds."""
        if self._connection is None:
            self._connection = asyncio.create_task(asyncio.to_thread(self._open))
        return await asyncio.shield(self._connection)

    def _open(self) -> Connection:
        opened = connection.opened(self.account.key, self.account.url)
        connection.warn_of_ends(self.account.models)
        return opened
