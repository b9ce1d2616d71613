"""A run: every scenario of a folder before an analyzer, which may be one that is asked far away."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from webhook.analyzer import prompt, reply
from webhook.analyzer.answer import Answer
from webhook.analyzer.reply import Malformed
from webhook.evaluation import cassette, scenario, trial
from webhook.evaluation.baseline import Analyzer
from webhook.evaluation.cassette import Cassette
from webhook.evaluation.scenario import BadScenario, Scenario
from webhook.evaluation.scoring import Trial
from webhook.evidence.item import Pack
from webhook.evidence.pack import wire

INSTANCE = "evaluation"  # as whom a model is asked; the same everywhere, or no reply would fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came of asking a model once."""

    answer: Answer | None
    why: str = ""  # why there is none
    text: str = ""  # as the model wrote it; "" when nothing of it can be used
    cost: int = 0  # nano-dollars


Ask = Callable[[Pack, int], Awaitable[Said]]  # the evidence, and how often it was asked before


class NotRecorded(BadScenario):
    """Nobody has recorded what the model says to some scenarios."""


def load(folder: Path) -> list[Scenario]:
    """Read every scenario of *folder*, by name; raise BadScenario with every mistake."""
    found, mistakes = [], []
    for path in sorted(folder.glob("*.yml")):
        try:
            found.append(scenario.read(path.read_text(encoding="utf-8")))
        except (BadScenario, UnicodeDecodeError) as error:
            mistakes += [f"{path.name}: {each}" for each in str(error).splitlines()]
    if mistakes:
        raise BadScenario("\n".join(mistakes))
    if not found:
        raise BadScenario(f"{folder}: no scenario is there")
    return found


def without_model(scenarios: Iterable[Scenario], analyzer: Analyzer) -> list[Trial]:
    """Try an analyzer that is asked here."""
    return [trial.of_rules(each, analyzer(trial.pack(each))) for each in scenarios]


def request(pack: Pack, *, model: str, effort: str) -> str:
    """Return the digest of what *model* is asked about *pack*."""
    body = prompt.body(wire(pack), model=model, effort=effort, instance=INSTANCE)
    return cassette.digest(body)


async def with_model(
    scenarios: Sequence[Scenario],
    ask: Ask,
    *,
    model: str,
    repeat: int = 1,
    told: Callable[[Trial, Said], None] = lambda *_: None,
) -> list[Trial]:
    """Try a model, each scenario *repeat* times, for no model says the same twice."""
    trials: list[Trial] = []
    for turn in range(repeat):
        for each in scenarios:
            said = await ask(trial.pack(each), turn)
            made = trial.of_model(each, said.answer, model=model, cost=said.cost, why=said.why)
            told(made, said)
            trials.append(made)
    return trials


def recorded(replies: Cassette, *, model: str, effort: str) -> Ask:
    """Return what asks a cassette; it raises NotRecorded for what is not on it."""

    async def ask(pack: Pack, turn: int) -> Said:
        known = replies.get(request(pack, model=model, effort=effort), ())
        if not known:
            raise NotRecorded(
                f"{model} was never asked about {pack.subject.alertname} of"
                f" {pack.subject.project} as it is asked now; record it with --live"
            )
        each = known[turn % len(known)]
        try:
            return Said(answer=reply.read(each.text), text=each.text, cost=each.cost)
        except Malformed as error:
            return Said(answer=None, why=str(error), text=each.text, cost=each.cost)

    return ask
