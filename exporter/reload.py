"""Reloading: a changed configuration is taken whole, and a mistaken one not at all."""

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress

from exporter.instruments import Instruments
from orchestrator import clock
from orchestrator.config import BadConfig, Config
from orchestrator.source import Source

LOOK_EVERY = 1.0  # seconds between two looks at the files

logger = logging.getLogger(__name__)


class Reload:
    """Reads the source again: when its files change, on SIGHUP, and when somebody asks."""

    def __init__(
        self,
        source: Source,
        config: Config,
        take: Callable[[Config], None],
        instruments: Instruments,
    ) -> None:
        self._source, self._config, self._take = source, config, take
        self._instruments = instruments
        self._one_at_a_time = asyncio.Lock()
        self._asked = asyncio.Event()
        self._seen = source.stamp(config.files)
        self._note(good=True)

    async def now(self) -> None:
        """Read and take it; raise BadConfig, and leave everything as it was."""
        async with self._one_at_a_time:
            known = self._config.files
            self._seen = self._source.stamp(known)  # before reading: a later write is a change
            try:
                config = await asyncio.to_thread(self._source.load)
            except BadConfig as error:
                self._note(good=False)
                logger.error("configuration refused", extra={"mistakes": error.mistakes})  # noqa: TRY400  the mistakes are all there is to say
                raise
            self._config = config
            self._take(config)
            if config.files != known:
                self._seen = self._source.stamp(config.files)
            self._note(good=True)
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

    async def _has_reason(self) -> bool:
        try:
            async with asyncio.timeout(LOOK_EVERY):
                await self._asked.wait()
        except TimeoutError:
            seen = await asyncio.to_thread(self._source.stamp, self._config.files)
            return seen != self._seen
        self._asked.clear()
        return True

    def _note(self, *, good: bool) -> None:
        self._instruments.reloaded.set(good)
        if good:
            self._instruments.reloaded_at.set(clock.now().timestamp())
