"""analyzer: how good its answers are, and what it would answer again."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from orchestrator.prices import NANO
from webhook.evaluation import baseline, cassette, run, scoring, table
from webhook.evaluation.cassette import Reply
from webhook.evaluation.run import Said
from webhook.evaluation.scenario import Scenario, Split
from webhook.evaluation.scoring import Score, Trial
from webhook.evaluation.trial import pack
from webhook.offline import again, live, options

REPLIES = "replies.jsonl"  # the cassette, beside the scenarios
NOT_GOOD_ENOUGH = 1


@click.group(name="analyzer")
def group() -> None:
    """Tell how good the analyzer is, and run what it was asked again."""


group.add_command(again.command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be evaluated, and how."""

    folder: Path
    model: str | None
    effort: str
    repeat: int
    most: int  # nano-dollars
    config: Path | None  # of whom to ask; None: what was recorded is played


@group.command(name="eval")
@click.argument(
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path("tests/scenarios"),
)
@click.option("--model", help="The model to try; the rules, unless named.")
@click.option("--effort", default="medium", show_default=True, help="How hard it is to think.")
@click.option(
    "--offline/--live",
    default=True,
    show_default=True,
    help="Play what was recorded, or ask the model and record it.",
)
@click.option("--repeat", type=click.IntRange(1, 100), default=1, show_default=True)
@click.option("--max-usd", type=click.FloatRange(0), default=1.0, show_default=True)
@click.option(
    "--split", type=click.Choice([each.value for each in Split]), help="Only one part of them."
)
@click.option(
    "--earlier",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="An earlier output of --json, than which it must not be worse.",
)
@click.option("--margin", type=click.FloatRange(0, 1), default=scoring.MARGIN, show_default=True)
@click.option(
    "--config",
    "path",
    callback=options.of_root("path"),
    type=click.Path(path_type=Path),
    help="Whose url, key and prices are used with --live.",
)
@options.as_json
def evaluate(  # noqa: PLR0913  one for each option
    *,
    folder: Path,
    model: str | None,
    effort: str,
    offline: bool,
    repeat: int,
    max_usd: float,
    split: str | None,
    earlier: Path | None,
    margin: float,
    path: Path,
    as_json: bool,
) -> None:
    """Put the scenarios of FOLDER before the rules, or before a model, and score the answers.

    Beside it stand the baselines: what it is worth to say the same to everything. With --live the
    model is asked, for money, and what it says is recorded in FOLDER/replies.jsonl; without, what
    was recorded is played, and always gives the same.

    \b
    Examples:
      python -m webhook analyzer eval
      python -m webhook analyzer eval --model claude-sonnet-5-5 --live --repeat 5 --max-usd 2
      python -m webhook analyzer eval --model claude-sonnet-5-5 --json >now.json
      python -m webhook analyzer eval --model claude-sonnet-5-5 --earlier now.json

    \b
    Exit status: 0 good enough; 1 not: an action that is forbidden there, text in the evidence that
    led to one, or worse than an earlier time; 2 a wrong option, or a file that cannot be used.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    if model is None and not offline:
        raise click.UsageError("--live: say which --model is to be asked")
    wish = Wish(
        folder=folder,
        model=model,
        effort=effort,
        repeat=repeat,
        most=round(max_usd * NANO),
        config=None if offline else path,
    )
    with options.unusable():
        scenarios = run.load(folder)
        chosen = [each for each in scenarios if split in {None, each.split}]
        trials = asyncio.run(_tried(wish, chosen))
        before = _before(earlier, model or "rules") if earlier else None
        failures = scoring.failures(trials, earlier=before, margin=margin)
    scores = {**_baselines(scenarios, chosen), **({model: scoring.score(trials)} if model else {})}
    _show(scores, trials, failures, as_json=as_json)
    sys.exit(NOT_GOOD_ENOUGH if failures else 0)


def _baselines(every: Sequence[Scenario], chosen: Sequence[Scenario]) -> dict[str, Score]:
    return {
        name: scoring.score(run.without_model(chosen, analyzer))
        for name, analyzer in baseline.known(every).items()
    }


def _before(file: Path, name: str) -> float | None:
    """Return which share of the automatic actions was right at an earlier time."""
    told = json.loads(file.read_text(encoding="utf-8"))
    try:
        rate = told["scores"][name]["auto"]["rate"]
        return None if rate is None else float(rate)
    except (KeyError, TypeError, ValueError) as error:
        raise options.Unusable(f"{file}: it tells nothing of {name}") from error


def _show(
    scores: Mapping[str, Score],
    trials: Sequence[Trial],
    failures: Sequence[str],
    *,
    as_json: bool,
) -> None:
    if as_json:
        click.echo(json.dumps(table.machine(scores, trials, failures), indent=2))
        return
    click.echo("\n".join(table.text(scores)))
    for each in failures:
        click.echo(f"not good enough: {each}")


async def _tried(wish: Wish, scenarios: Sequence[Scenario]) -> list[Trial]:
    if wish.model is None:
        return run.without_model(scenarios, baseline.known(scenarios)["rules"])
    if wish.config is None:
        file = wish.folder / REPLIES
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        ask = run.recorded(cassette.read(lines), model=wish.model, effort=wish.effort)
        return await run.with_model(scenarios, ask, model=wish.model, repeat=wish.repeat)
    return await _live(wish, wish.model, wish.config, scenarios)


async def _live(wish: Wish, model: str, path: Path, scenarios: Sequence[Scenario]) -> list[Trial]:
    analyzer = options.loaded(path).analyzer
    tape = Tape(model=model, effort=wish.effort, by=analyzer.url.partition("://")[2])
    async with live.asking(analyzer, model=model, effort=wish.effort, most=wish.most) as (ask, _):
        trials = await run.with_model(
            scenarios, ask, model=model, repeat=wish.repeat, told=tape.told
        )
    with (wish.folder / REPLIES).open("a", encoding="utf-8") as out:
        out.writelines(f"{line}\n" for line in cassette.written(tape.replies))
    return trials


@dataclass(slots=True, kw_only=True)
class Tape:
    """What is being recorded."""

    model: str
    effort: str
    by: str
    replies: list[Reply] = field(default_factory=list)

    def told(self, trial: Trial, said: Said) -> None:
        """Keep what a model has said."""
        if not said.text:
            return
        seen = pack(trial.scenario)
        request = run.request(seen, model=self.model, effort=self.effort)
        self.replies.append(
            Reply(request=request, model=self.model, text=said.text, cost=said.cost, by=self.by)
        )
