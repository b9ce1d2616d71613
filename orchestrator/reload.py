"""Reloading: a changed configuration is taken whole, and a mistaken one not at all."""

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from orchestrator.config import BadConfig, Config
from orchestrator.source import Source
from orchestrator.stamp import changed, stamp

LOOK_EVERY = 1.0  # seconds between two looks at the files

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Who hears of each reading how it went."""

    good: Callable[[], None]
    refused: Callable[[], None]
    failed: Callable[[], None]  # an error that nobody foresaw; `refused` is told, too


class Reload:
    """Reads the source again: when its files change, on SIGHUP, and when somebody asks."""

    def __init__(
        self,
        source: Source,
        config: Config,
        take: Callable[[Config], None],
        told: Told,
    ) -> None:
        self._source, self._take, self._told = source, take, told
        self._read = config.read
        self._one_at_a_time = asyncio.Lock()
        self._asked = asyncio.Event()
        self._told.good()

    async def now(self) -> None:
        """Read and take it; raise BadConfig, and leave everything as it was."""
        async with self._one_at_a_time:
            try:
                config = await asyncio.to_thread(self._source.load)
                self._take(config)
            except BadConfig as error:
                self._refuse(error)
                raise
            except Exception as error:  # a loop that has to survive hangs on this, see follow
                logger.exception("configuration failed")
                self._told.failed()
                refused = BadConfig(str(self._source.path), [f"cannot be taken: {error!r}"])
                self._refuse(refused)
                raise refused from error
            self._read = config.read
            self._told.good()
            logger.info("configuration taken", extra={"projects": len(config.projects)})

    async def follow(self) -> None:
        """Reload on every change of a file and every SIGHUP, until cancelled."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._asked.set)
        try:
            while True:
                if await self._has_reason():
                    with suppress(BadConfig):  # it is told, and the next change is another chance
                        await self.now()
        finally:
            loop.remove_signal_handler(signal.SIGHUP)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the default would end the process

    async def _has_reason(self) -> bool:
        try:
            async with asyncio.timeout(LOOK_EVERY):
                await self._asked.wait()
        except TimeoutError:
            return await asyncio.to_thread(changed, self._read)
        self._asked.clear()
        return True

    def _refuse(self, error: BadConfig) -> None:
        # What it did not come to is looked at anew, or each second would read the same mistake.
        self._read = {**{path: stamp(path) for path in self._read}, **error.read}
        self._told.refused()
        logger.error("configuration refused", extra={"mistakes": error.mistakes})
