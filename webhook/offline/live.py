"""Live: a model that is asked for an evaluation, within what may be spent on it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from orchestrator import clock, prices
from orchestrator.config import Analyzer
from orchestrator.errors import OrchestratorError
from webhook.analyzer.call import Denied, Ended, Ledger, Window
from webhook.analyzer.reply import Malformed
from webhook.claude import message
from webhook.claude.account import Account
from webhook.claude.client import Claude
from webhook.claude.heard import Heard
from webhook.evaluation.run import INSTANCE, Ask, Said
from webhook.evidence.item import Pack

SPENT = "what may be spent on this run is spent"


class NoKey(OrchestratorError):
    """A model was to be asked without a key for it."""

    def __init__(self) -> None:
        super().__init__("no key: analyzer.key_file, or the variable ANTHROPIC_API_KEY, has it")


class Purse:
    """What may be spent, in nano-dollars, and what was. Lives as long as a run."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.spent = 0  # settled, or reserved for calls that are under way
        self._reserved: list[int] = []

    async def reserve(self, _: str, amount: int) -> int | Denied:
        """Keep *amount* for a call; return its number."""
        if self.spent + amount > self._most:
            return Denied(window=Window.DAY, why=SPENT)
        self.spent += amount
        self._reserved.append(amount)
        return len(self._reserved) - 1

    async def settle(self, call: int, ended: Ended) -> None:
        """Take what *call* did cost in the place of what was kept for it, if that is known."""
        if ended.cost is not None:
            self.spent += ended.cost - self._reserved[call]


class Uncounted:
    """An evaluation has no metrics."""

    def ended(self, call: Ended) -> None:
        """Count nothing."""

    def fell_back(self, from_: str, to: str, reason: str) -> None:
        """Count nothing."""

    def denied(self, denied: Denied) -> None:
        """Count nothing."""


@asynccontextmanager
async def asking(
    analyzer: Analyzer, *, model: str, effort: str, most: int
) -> AsyncIterator[tuple[Ask, Purse]]:
    """Ask *model* for at most *most* nano-dollars, until the block ends; raise NoKey.

    No other model stands in for it: it is the one that is tried.
    """
    if analyzer.key is None:
        raise NoKey
    account = Account(
        key=analyzer.key,
        url=analyzer.url,
        models=(model,),
        effort=effort,
        instance=INSTANCE,
        prices=prices.known(analyzer.prices, clock.now().date()),
    )
    claude, purse = Claude(account, Uncounted()), Purse(most)
    ledger = Ledger(reserve=purse.reserve, settle=purse.settle)

    async def ask(pack: Pack, _: int) -> Said:
        before = purse.spent
        heard = await claude.ask(pack, ledger)
        return Said(
            answer=heard.answer, why=heard.why, text=_text(heard), cost=purse.spent - before
        )

    try:
        yield ask, purse
    finally:
        await claude.close()


def _text(heard: Heard) -> str:
    """Return what the model wrote, as far as it is one text."""
    try:
        texts = message.read(heard.reply).texts
    except Malformed:
        return ""
    return texts[0] if len(texts) == 1 else ""
