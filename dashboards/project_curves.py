"""The curves of a project: its traffic, what it uses up, and what its business gets of it."""

from typing import Final

from dashboards import limits
from dashboards.events import count, events
from dashboards.layout import Section, band
from dashboards.look import About, Look
from dashboards.panels import Panel, query, timeseries
from orchestrator.family.project import PROJECT

OWN: Final = "|".join(sorted(metric.name for metric in PROJECT))
LIMIT: Final = "limit"

# A unit is the end of a name, so whatever a project reports of its own finds its panel.
_UNITS: Final = ("ratio", "seconds", "usd")


def sections(scope: str) -> tuple[Section, ...]:
    """Return the sections of the project that *scope*, matchers of labels, selects."""
    return (
        Section(
            id=200,
            title="What it does",
            bands=(band(9, (8, _requests(scope)), (8, _errors(scope)), (8, _answers(scope))),),
        ),
        Section(
            id=300,
            title="What it uses up",
            bands=(
                band(
                    7,
                    (6, _usage(scope, "cpu")),
                    (6, _usage(scope, "memory")),
                    (6, _queue(scope)),
                    (6, _cache(scope)),
                ),
            ),
        ),
        Section(
            id=400,
            title="What its business gets",
            is_folded=True,
            bands=(
                band(
                    7,
                    (6, _figures(scope, 401, "Shares", "percentunit", "ratio")),
                    (6, _figures(scope, 402, "Times", "s", "seconds")),
                    (6, _figures(scope, 403, "Money", "currencyUSD", "usd")),
                    (6, _others(scope)),
                ),
            ),
        ),
    )


def _of(metric: str, scope: str) -> str:
    return f"max by (project) ({metric}{{{scope}}})"


def _requests(scope: str) -> Panel:
    about = About(
        id=201,
        title="Requests",
        unit="reqps",
        shows="Requests a second, over the last minute.",
        good="As at this time of other days.",
        act="None at all, or many more: ask who calls it.",
        empty="it does not say",
        runbook="ProjectTrafficAnomalous",
    )
    queries = [query(_of("project_requests_per_second", scope), "requests")]
    return timeseries(about, queries, Look(low=0))


def _errors(scope: str) -> Panel:
    about = About(
        id=202,
        title="Errors",
        unit="percentunit",
        shows="The share of the requests of the last minute that failed by its own fault.",
        good="Below its limit, the dashed line.",
        act="Look for a mark of a deployment just before; roll it back, or restart.",
        empty="it does not say",
        runbook="ProjectHighErrorRate",
    )
    queries = [
        query(_of("project_error_ratio", scope), "errors"),
        query(_limit("errors", scope), LIMIT),
    ]
    return timeseries(about, queries, Look(low=0, decimals=1), limits=(LIMIT,))


def _answers(scope: str) -> Panel:
    about = About(
        id=203,
        title="Health answers",
        unit="s",
        shows="How long the answers about its health took, over five minutes: p50, p95 and p99.",
        good="Level, and below the dashed line, from which on it counts as slow.",
        act="See whether its CPU or its queue grows as well.",
        empty="no answer",
        runbook="ProjectSlow",
    )
    queries = [
        query(
            f"max by (project) (quantile_over_time({part},"
            f" project_probe_duration_seconds{{{scope}}}[5m]))",
            name,
        )
        for part, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
    ]
    slow = query(_of("project_slow_after_seconds", scope), LIMIT)
    return timeseries(about, [*queries, slow], Look(low=0), limits=(LIMIT,))


def _usage(scope: str, resource: str) -> Panel:
    name = {"cpu": "CPU", "memory": "Memory"}[resource]
    about = About(
        id={"cpu": 301, "memory": 302}[resource],
        title=name,
        unit="percentunit",
        shows=f"{name} in use, of what the project may use.",
        good="Below its limit, the dashed line, and not growing all the time.",
        act="Compare with the requests: without more of them, something is wrong inside.",
        empty="it does not say",
        runbook=f"ProjectHigh{name}",
    )
    queries = [
        query(_of(f"project_{resource}_usage_ratio", scope), resource),
        query(_limit(resource, scope), LIMIT),
    ]
    return timeseries(about, queries, Look(low=0, high=1, decimals=1), limits=(LIMIT,))


def _queue(scope: str) -> Panel:
    about = About(
        id=303,
        title="Queue",
        unit="short",
        shows="Entries that wait to be worked on.",
        good="Short, or falling. An alert begins where more than 100 stay for ten minutes.",
        act="Is it slower than usual, or is more handed in?",
        empty="it has none",
        runbook="ProjectQueueBacklog",
    )
    steps = limits.above(red=limits.QUEUE)
    queries = [query(_of("project_queue_length", scope), "waiting")]
    return timeseries(about, queries, Look(steps=steps, low=0))


def _cache(scope: str) -> Panel:
    about = About(
        id=304,
        title="Cache",
        unit="bytes",
        shows="What the action clear_cache would drop.",
        good="Level once it is full.",
        act="Where memory runs out and this is large, clearing it helps.",
        empty="it does not say",
        runbook="ProjectHighMemory",
    )
    return timeseries(about, [query(_of("project_cache_bytes", scope), "cache")], Look(low=0))


def _figures(scope: str, number: int, title: str, unit: str, end: str) -> Panel:
    names = f'__name__=~"project_.+_{end}", __name__!~"{OWN}", {scope}'
    return _business(number, title, unit, names, end=f"_{end}")


def _others(scope: str) -> Panel:
    known = "|".join(f"project_.+_{end}" for end in _UNITS)
    names = f'__name__=~"project_.+", __name__!~"{OWN}|{known}", {scope}'
    return _business(404, "Other figures", "short", names)


def _business(number: int, title: str, unit: str, names: str, *, end: str = "") -> Panel:
    about = About(
        id=number,
        title=title,
        unit=unit,
        shows="Figures of the project's own, named under `metrics` in orchestrator.yml.",
        good="What its owner says; no rule judges them.",
        act="Ask its owner. A fall right after an outage or a deployment is its price.",
        empty="it names none",
    )
    look = Look(decimals=1 if unit == "percentunit" else None)
    # Without what all of them have in common: the panel is narrow.
    expr = f'label_replace({{{names}}}, "figure", "$1", "__name__", "project_(.+){end}")'
    return timeseries(about, [query(f"max by (figure) ({expr})", "{{figure}}")], look)


def reads(scope: str) -> Panel:
    """Return how often the project's endpoints were read."""
    about = About(
        id=502,
        title="Reads",
        unit="reqps",
        shows="Good answers that were read from each endpoint, a second.",
        good="Level.",
        act="Where it falls to nothing, see the failures below.",
        empty="nothing was read",
        runbook="ExporterNotProbing",
    )
    expr = f"sum by (endpoint) (rate(project_reads_total{{{scope}}}[$__rate_interval]))"
    return timeseries(about, [query(expr, "{{endpoint}}")], Look(low=0))


def failures(scope: str) -> Panel:
    """Return what was wrong with the project's answers, by reason."""
    about = About(
        id=504,
        title="Failures by reason",
        unit="short",
        shows="How many answers had something wrong, by what it was; a bar is a minute or more.",
        good="None.",
        act="docs/endpoint-contract.md says what each endpoint has to answer.",
        empty="no failure",
        runbook="ProjectDown",
    )
    probes = f"project_probe_failures_total{{{scope}}}"
    read = f"project_read_failures_total{{{scope}}}"
    queries = [
        count(probes, "reason", "health: {{reason}}"),
        count(read, "endpoint, reason", "{{endpoint}}: {{reason}}"),
    ]
    return events(about, queries)


def _limit(resource: str, scope: str) -> str:
    return f'max by (project) (project_threshold_ratio{{resource="{resource}", {scope}}})'
