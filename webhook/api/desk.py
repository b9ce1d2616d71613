"""The desk: what the routes work with."""

from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from orchestrator.clock import Clock
from orchestrator.config import Config
from webhook.instruments import Instruments
from webhook.reception import Reception
from webhook.store.database import Store
from webhook.store.reader import Reader
from webhook.stream import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the routes work with. Lives as long as the webhook."""

    config: Callable[[], Config]  # the one in force
    store: Store  # writes, each as a whole
    read: Reader  # looks, beside the writer
    instruments: Instruments
    now: Clock
    news: Callable[[], None]  # wakes the stages
    truncated: Callable[[], None]  # a notification left some of its alerts out
    watchdog: Callable[[], None]  # the alert came that always fires
    session: aiohttp.ClientSession  # to whom we know by the configuration
    stream: Stream  # who reads the events as they come
    reception: Reception = field(default_factory=Reception)


DESK: web.AppKey[Desk] = web.AppKey("desk", Desk)
