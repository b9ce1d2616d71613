"""`orchestrator analyzer`: how good its answers are, and what others would have been."""

from collections.abc import Iterator
from pathlib import Path

import click

from orchestrator.cli import offline
from orchestrator.cli.calibration import plot
from orchestrator.cli.online import Hub, local, online, plain, table, zone
from orchestrator.cli.past import Past
from orchestrator.hub import Json

PATH = "/api/v1/analyzer"
FEW = 200  # labelled answers; of fewer, the calibration error is mostly chance


@click.group()
def analyzer() -> None:
    """Tell how often the analyzer was right, and run what it was asked again."""


@analyzer.command(name="report")
@click.option("--since", type=Past(), help="From when on, like 2026-11-01 or 7d; 90 days ago.")
@click.option(
    "--svg",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw into this file how sure answers were, and how often they were right.",
)
@online
def report_analyzer(*, hub: Hub, since: str | None, svg: Path | None) -> None:
    """Tell how often answers were right, and whether they were as sure as they should have been.

    Right is an answer of which the action was proven and the alert stayed away for half an hour,
    or one that did nothing about an alert that ended by itself. Brier score: 0 is perfect. Skill: 1
    is perfect, below 0 is worse than to say the same always.

    \b
    Examples:
      orchestrator analyzer report
      orchestrator analyzer report --since 7d --svg calibration.svg
      orchestrator analyzer report --json

    \b
    Exit status: 0 told, 1 refused, or the file cannot be written, 2 a wrong option, 4 the webhook
    cannot be reached, 5 not allowed.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    answer = {"analyzer": hub.get(PATH), "report": hub.get(f"{PATH}/report", since=since)}
    if svg is not None:
        _draw(hub, answer["report"], svg)
    hub.show(answer, lambda: _told(answer))


def _draw(hub: Hub, report: Json, svg: Path) -> None:
    try:
        svg.write_bytes(plot(report))
    except OSError as error:
        hub.refuse(f"{svg}: {error.strerror}")


@analyzer.command(name="replay", cls=offline.AsItIs)
@offline.passed_on
def replay_analyzer(*, arguments: tuple[str, ...]) -> None:
    """Make analysis ID anew from its stored evidence, and show what is different.

    Without --model nobody is asked: the stored reply is read again, or the rules answer again, and
    the gates judge. Nothing is done to anybody, and a webhook may go on meanwhile.

    \b
    Options:
      ID                    the number of the analysis, not of its incident
      --db FILE             the database  [env var: ORCHESTRATOR_DB]
      --model MODEL         ask this model now, for money
      --config FILE         whose url, key and prices are used with --model
                            [env var: ORCHESTRATOR_CONFIG]
      --json                print one JSON object, and nothing else

    \b
    Examples:
      orchestrator analyzer replay 12 --db orchestrator.db
      orchestrator analyzer replay 12 --db orchestrator.db --model claude-opus-5-5

    \b
    Exit status: 0 the same; 1 different; 2 a wrong option, or nothing that can be made anew.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    offline.run("analyzer", "replay", *arguments)


@analyzer.command(name="eval", cls=offline.AsItIs)
@offline.passed_on
def eval_analyzer(*, arguments: tuple[str, ...]) -> None:
    """Put the scenarios of a folder before the rules, or before a model, and score the answers.

    Beside it stand the baselines: what it is worth to say the same to everything.

    \b
    Options:
      FOLDER                the scenarios, as YAML; tests/scenarios
      --model MODEL         the model to try; the rules, unless named
      --effort EFFORT       how hard it is to think; medium
      --offline / --live    play what was recorded, or ask the model and record it
      --repeat N            ask so often; 1
      --max-usd X           spend no more; 1
      --split PART          only one part of them: dev or heldout
      --earlier FILE        an earlier output of --json, than which it must not be worse
      --margin X            by how much it may be
      --config FILE         whose url, key and prices are used with --live
                            [env var: ORCHESTRATOR_CONFIG]
      --json                print one JSON object, and nothing else

    \b
    Examples:
      orchestrator analyzer eval
      orchestrator analyzer eval --model claude-sonnet-5-5 --live --repeat 5 --max-usd 2

    \b
    Exit status: 0 good enough; 1 not: an action that is forbidden there, text in the evidence that
    led to one, or worse than an earlier time; 2 a wrong option, or a file that cannot be used.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    offline.run("analyzer", "eval", *arguments)


def _told(answer: Json) -> Iterator[str]:
    yield from _standing(answer["analyzer"])
    report = answer["report"]
    span = [local(report[each], day=True) for each in ("since", "until")]
    yield ""
    yield f"decisions from {span[0]} to {span[1]} {zone(report['since'], report['until'])}:"
    if not report["whole"]["decided"]:
        yield "  none"
        return
    yield from (f"  {each}" for each in _scores(report))
    yield ""
    yield "how sure, and how often right:"
    yield from (f"  {each}" for each in _bins(report))
    if report["whole"]["accuracy"]["of"] < FEW:
        yield f"  of fewer than {FEW} answers the calibration error (ECE) is mostly chance"


def _standing(of: Json) -> Iterator[str]:
    asked = of["model"] if of["key"] else "no key, so rules answer"
    yield plain(f"analyzer: mode {of['mode']}, {asked}")
    for name, window in (("today", of["day"]), ("this month", of["month"])):
        spent, limit, left = (window[f"{each}_usd"] for each in ("spent", "limit", "left"))
        yield f"  {name}: ${spent:.4f} of ${limit:.2f} spent, ${left:.4f} left"
    yield f"  within the hour: {of['hour']['made']} of {of['hour']['limit']} calls"
    for model, circuit in sorted(of["circuits"].items()):
        if circuit != "closed":
            yield plain(f"  {model} is not asked now: its circuit is {circuit.replace('_', ' ')}")
    if of["waiting"] or of["running"]:
        yield f"  now: {of['running']} under way, {of['waiting']} waiting"


def _scores(report: Json) -> list[str]:
    head = ("OF", "DECIDED", "RIGHT", "95 %", "AUTO RIGHT", "BRIER", "SKILL", "ECE", "ESCALATED")
    rows = [("all", report["whole"])]
    for kind in ("alerts", "actions", "models", "prompts"):
        title = kind.removesuffix("s")
        rows += [(f"{title} {name}", score) for name, score in report[kind].items()]
    return table([head, *(_row(name, score) for name, score in rows)])


def _row(name: str, of: Json) -> tuple[str, ...]:
    right = of["accuracy"]
    between = "" if right["rate"] is None else f"{right['low']:.2f}-{right['high']:.2f}"
    figures = (_figure(of[each]) for each in ("brier", "skill", "ece"))
    shares = (_share(right), between, _share(of["auto"]))
    return (name, str(of["decided"]), *shares, *figures, _share(of["escalated"]))


def _share(of: Json) -> str:
    return "" if of["rate"] is None else f"{of['many']} of {of['of']}"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _bins(report: Json) -> list[str]:
    rows = [
        (f"{each['low']:.1f}-{each['high']:.1f}", str(each["n"]), *map(_figure, _pair(each)))
        for each in report["calibration"]
        if each["n"]
    ]
    return table([("SURE", "ANSWERS", "SAID", "RIGHT"), *rows])


def _pair(of: Json) -> tuple[float | None, float | None]:
    return of["said"], of["right"]
