"""Answers: what the analyzer decided and why, how sure it was, and how right it turned out."""

from typing import Final

from dashboards import alarm
from dashboards.events import STEP, count, events, risen
from dashboards.layout import Section, band
from dashboards.limits import GRAY, GREEN, RED
from dashboards.look import About, Column, Look, Word
from dashboards.panels import (
    Panel,
    bargauge,
    buckets,
    heatmap,
    now,
    query,
    rows,
    table,
    timeseries,
)

_SILENT: Final = "the analyzer was not asked"


def answers() -> Section:
    """Return what was decided, and how right that was."""
    return Section(
        id=130,
        title="What the analyzer decides of all projects, and how right it is",
        is_folded=True,
        bands=(
            band(9, (8, _decisions()), (8, _gates()), (8, _outcomes())),
            band(9, (8, _sure()), (8, _scores()), (8, _fallbacks())),
        ),
    )


def evidence() -> Section:
    """Return what the analyzer is told, and what is kept from it."""
    return Section(
        id=150,
        title="What the analyzer is told of all projects",
        is_folded=True,
        bands=(band(9, (8, _flags()), (8, _redactions()), (8, _missing())),),
    )


def _decisions() -> Panel:
    about = About(
        id=31,
        title="Decisions",
        unit="short",
        shows="How many answers were decided on, by what became of them: done, asked of people, or"
        " left; each bar is a minute or more.",
        good="Few; `auto` where it is allowed to act.",
        act="Read single ones with `orchestrator incident ID --why`.",
        empty=_SILENT,
    )
    return events(about, [count("analyzer_decisions_total", "decision", "{{decision}}")])


def _gates() -> Panel:
    about = About(
        id=32,
        title="Gates that were closed",
        unit="short",
        shows="Answers in the time that is shown, by the first gate that kept them from being done"
        " without a human; `none` is where all were open.",
        good="`none`, once you trust it; before that, any.",
        act="docs/analyzer.md explains each gate, and what opens it.",
        empty=_SILENT,
    )
    expr = "sum by (gate) (increase(analyzer_decisions_total[$__range])) > 0"
    return bargauge(about, [now(expr, "{{gate}}")], Look(low=0, decimals=0))


def _outcomes() -> Panel:
    about = About(
        id=33,
        title="What came of answers",
        unit="short",
        shows="Answers of which it turned out in the time that is shown whether they were right:"
        " `helped` and `ended` were, `again`, `failed`, `rejected` and `went_on` were not.",
        good="More that were right than wrong, by far.",
        act="Where people reject much, let it act on less: `analyzer.allow`.",
        empty="no answer has been judged yet",
    )
    expr = "sum by (analyzer, result) (increase(analyzer_outcomes_total[$__range])) > 0"
    return bargauge(about, [now(expr, "{{analyzer}}: {{result}}")], Look(low=0, decimals=0))


def _sure() -> Panel:
    about = About(
        id=34,
        title="How sure answers are",
        unit="percentunit",
        shows="How many answers were how sure, by the confidence as it counts after the history of"
        " such answers.",
        good="High, and as often right as it says.",
        act="Compare with the skill beside it: sure and wrong is worst.",
        empty=_SILENT,
        runbook="AnalyzerInaccurate",
    )
    # `increase` makes 1.33 of one answer; and no confidence is above 1.
    counter = 'analyzer_confidence_bucket{kind="effective", le!="+Inf"}'
    return heatmap(about, [buckets(risen(counter, "le"), every=STEP)], Look())


# What the alert goes by: 1 where it fires, 0 where it does not; nothing where nobody can tell yet.
_JUDGEMENT: Final = (
    "max by (analyzer) (analyzer_brier_skill_ratio) < bool 0 and"
    f" max by (analyzer) (analyzer_labelled_answers) >= {alarm.JUDGED:.0f}"
    " or max by (analyzer) (analyzer_labelled_answers) * 0 + 2"
)
_JUDGED: Final = (Word("0", "good", GREEN), Word("1", "poor", RED), Word("2", "unknown", GRAY))


def _scores() -> Panel:
    about = About(
        id=35,
        title="How right it is",
        unit="short",
        shows="Of each analyzer: answers that were judged, the share that was right, the skill (1"
        " is perfect, 0 no better than to say that share always), and two measures of how far"
        f" confidence was off. With fewer than {alarm.JUDGED:.0f} answers that is mostly chance.",
        good="Skill above 0.",
        act="Below 0 people are told, as soon as it is no chance any more; trust it less.",
        empty="no answer has been judged yet",
        runbook="AnalyzerInaccurate",
    )
    metrics = ("labelled_answers", "accuracy_ratio", "brier_skill_ratio", "brier_score", "ece")
    queries = [rows(f"max by (analyzer) (analyzer_{metric})") for metric in metrics]
    queries.append(rows(_JUDGEMENT))
    columns = [
        Column(of="analyzer", title="Analyzer", width=80),
        Column(of="A", title="Judged", unit="short", look=Look(decimals=0), width=70),
        Column(of="B", title="Right", unit="percentunit", look=Look(decimals=0), width=65),
        Column(of="C", title="Skill", unit="short", look=Look(decimals=2), width=65),
        Column(of="D", title="Brier", unit="short", look=Look(decimals=2), width=65),
        Column(of="E", title="ECE", unit="short", look=Look(decimals=2), width=65),
        Column(of="F", title="So", look=Look(words=_JUDGED), width=90),
    ]
    return table(about, queries, columns, by="analyzer")


def _fallbacks() -> Panel:
    about = About(
        id=36,
        title="Another was asked instead",
        unit="short",
        shows="Times in the time that is shown that another model, or rules, had to answer.",
        good="None.",
        act="The reason says it: a budget, a circuit, a missing key, or a call that failed.",
        empty="everybody answered for himself",
        runbook="ClaudeUnavailable",
    )
    expr = "sum by (from, to, reason) (increase(analyzer_fallbacks_total[$__range])) > 0"
    columns = [
        Column(of="from", title="Instead of", width=140),
        Column(of="to", title="Asked", width=140),
        Column(of="reason", title="Because"),
        Column(of="A", title="Times", unit="short", look=Look(decimals=0), width=70),
    ]
    return table(about, [rows(expr)], columns, order="Times")


def _flags() -> Panel:
    about = About(
        id=51,
        title="Text that looked like orders",
        unit="short",
        shows="Analyses within an hour in which text of a stranger looked as if it were meant to"
        " steer the analyzer, by where it came from.",
        good="0. None of them was acted on without people.",
        act="Above the line people are told; find out who writes into that source.",
        empty="the webhook does not answer",
        runbook="AnalyzerInjectionSuspected",
    )
    expr = "sum by (source) (increase(analyzer_injection_flags_total[1h]))"
    look = Look(steps=alarm.line("AnalyzerInjectionSuspected"), low=0, decimals=0)
    return timeseries(about, [query(expr, "{{source}}")], look)


def _redactions() -> Panel:
    about = About(
        id=52,
        title="Secrets kept out",
        unit="short",
        shows="How many secrets were kept out of evidence, by kind: each bar is a minute or more.",
        good="None: then no program writes secrets into its log.",
        act="Mend the program that logs them.",
        empty="no secret was found",
    )
    return events(about, [count("analyzer_redactions_total", "kind", "{{kind}}")])


def _missing() -> Panel:
    about = About(
        id=53,
        title="Evidence that was missing",
        unit="short",
        shows="Times in the time that is shown that a source told nothing, by why.",
        good="Few; `no_data` is usual for a new project.",
        act="`error` and `timeout`: see whether Prometheus and the project answer.",
        empty="no source was silent",
    )
    expr = "sum by (source, reason) (increase(analyzer_evidence_missing_total[$__range])) > 0"
    return bargauge(about, [now(expr, "{{source}}: {{reason}}")], Look(low=0, decimals=0))
