"""Whatever a project does to the exporter, it is a state and a reason, and nobody else's matter."""

from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from orchestrator.answer import Reason
from orchestrator.health import State
from tests.conftest import FreePort
from tests.exporter import pages
from tests.exporter.fleet import entry, served, slug, tls
from tests.exporter.hostile import GOOD, Hostile, hostile, listening
from tests.waiting import until

WITHIN = 15.0  # seconds; ample, also on a busy machine
ROUNDS = 3  # of questions: the third begins when the second is on the page
EVERY = "2s"  # a figure is forgotten after three times that, which a busy machine may take
_BODY, _DOWN = (State.DOWN, Reason.BODY), State.DOWN
HEALTH: dict[str, tuple[State, Reason | None]] = {
    "well": (State.HEALTHY, None),
    "resets": (_DOWN, Reason.CONNECTION),
    "hangs": (_DOWN, Reason.TIMEOUT),
    "trickles": (_DOWN, Reason.TIMEOUT),
    "breaks off": (_DOWN, Reason.CONNECTION),
    "redirects in a circle": (_DOWN, Reason.REDIRECT),
    "redirects to another host": (_DOWN, Reason.REDIRECT),
    "sends 100 MB": (_DOWN, Reason.TOO_LARGE),
    "sends 100 MB in chunks": (_DOWN, Reason.TOO_LARGE),
    "sends without end": (_DOWN, Reason.TOO_LARGE),
    "sends one header without end": (_DOWN, Reason.CONNECTION),
    "sends headers without end": (_DOWN, Reason.CONNECTION),
    "speaks no HTTP": (_DOWN, Reason.CONNECTION),
    "sends every byte": (_DOWN, Reason.CONNECTION),
    "says nothing": (_DOWN, Reason.CONNECTION),
    "is packed": _BODY,
    "sends HTML": _BODY,
    "sends HTML as JSON": _BODY,
    "sends broken JSON": _BODY,
    "sends an empty body": _BODY,
    "sends a list": _BODY,
    "sends bytes that are not UTF-8": _BODY,
    "sends NaN": _BODY,
    "sends infinity": _BODY,
    "sends a key twice": _BODY,
    "nests 10,000 deep": _BODY,
    "leaves 10,000 open": _BODY,
    "says 204": (_DOWN, Reason.STATUS),
    "says 503": (_DOWN, Reason.STATUS),
    "says 404": (_DOWN, Reason.STATUS),
    "mislabels JSON": (State.HEALTHY, Reason.CONTENT_TYPE),
    "labels JSON with bytes": (State.HEALTHY, Reason.CONTENT_TYPE),
    "labels JSON with escapes": (State.HEALTHY, Reason.CONTENT_TYPE),
    "says down with 200": _BODY,
    "says an unknown word": _BODY,
    "says a list of states": _BODY,
    "has a version with quotes": (State.HEALTHY, Reason.VALUE),
    "has a version with a newline": (State.HEALTHY, Reason.VALUE),
    "has a version with NUL": (State.HEALTHY, Reason.VALUE),
    "has a version of 10 kB": (State.HEALTHY, Reason.VALUE),
    "has a version that is no text": (State.HEALTHY, Reason.VALUE),
}
# of /metrics and /status alike: what is counted, and whether it is an answer all the same
_OF_HEALTH = {"says down with 200", "says an unknown word", "says a list of states"}
READS: dict[str, tuple[Reason | None, bool]] = {
    **{
        name: (reason, state is not _DOWN)
        for name, (state, reason) in HEALTH.items()
        if name not in _OF_HEALTH and not name.startswith("has a version")
    },
    "says 404": (None, False),
    "sends HTML": (Reason.CONTENT_TYPE, False),
    "reports negative figures": (Reason.VALUE, True),
    "reports absurd figures": (Reason.VALUE, True),
    "reports figures beyond floats": (Reason.VALUE, True),
    "reports figures as text": (Reason.VALUE, True),
    "reports a figure with 10,000 digits": (Reason.BODY, False),
}
TEXTS: dict[str, tuple[Reason | None, bool]] = {  # of /metrics
    "has 1,000 samples": (None, True),
    "has a sample twice": (Reason.VALUE, True),
    "has a sample with quotes": (None, True),
    "has a sample with a newline": (None, True),
    "has a sample with NUL": (None, True),
    "has a sample of 10 kB": (None, True),
    "has broken text": (Reason.BODY, False),
    "has text without its end": (Reason.BODY, False),
    "has text of NaN": (Reason.VALUE, True),
}
WHOLE = {
    "refuses": Reason.REFUSED,
    "has a name that does not resolve": Reason.NAME,
    "has a certificate of nobody": Reason.TLS,
    "has a certificate of another host": Reason.TLS,
    "has a certificate that ended": Reason.TLS,
    "has a certificate and no TLS": Reason.TLS,
}
VALUES = {
    "metrics": {"project_cpu_usage_ratio", "project_requests_per_second", "project_rate"},
    "status": {"project_queue_length", "project_cache_bytes"},
}
KEPT = {name for name in READS if name == "well" or ("JSON" in name and READS[name][1])}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The pages of an exporter with the whole hostile fleet, and of one with a good project."""

    text: str
    openmetrics: str
    alone: str
    strays: dict[str, int]


def _fleet(folder: Path, free_port: FreePort) -> tuple[dict[str, Hostile], list[str]]:
    """Make every project there is, by name, and their entries."""
    fleet = {slug(f"health {each}"): hostile(free_port(), health=each) for each in HEALTH}
    for each in READS:
        fleet[slug(f"reads {each}")] = hostile(free_port(), metrics=each, status=each)
    fleet |= {slug(f"texts {each}"): hostile(free_port(), metrics=each) for each in TEXTS}
    entries = [entry(name, each.url, every=EVERY) for name, each in fleet.items()]
    entries.append(entry("refuses", f"http://127.0.0.1:{free_port()}", every=EVERY))
    name = "has-a-name-that-does-not-resolve"
    entries.append(entry(name, "http://nowhere.onion:1", every=EVERY))  # never asked for: RFC 7686
    for each in filter(lambda each: "certificate" in each, WHOLE):
        name = slug(each)
        context = tls(folder, name)
        fleet[name] = Hostile(free_port(), {}, None if "no-tls" in name else context)
        url = fleet[name].url.replace("http:", "https:")
        entries.append(entry(name, url, f"tls: {{ca_file: {name}.pem}}", EVERY))
    fleet["neighbour"] = hostile(free_port())
    return fleet, entries


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seen(free_port: FreePort, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Watch the whole fleet for three rounds; then its neighbour alone."""
    folder = tmp_path_factory.mktemp("fleet")
    fleet, entries = _fleet(folder, free_port)
    neighbour = entry("neighbour", fleet["neighbour"].url, "labels: {team: 'a\"\\b'}", EVERY)
    entries.insert(len(entries) // 2, neighbour)
    answering = [each for name, each in fleet.items() if "certificate" not in name]

    async def asked_for_rounds() -> bool:
        return all(each.asked[path] >= ROUNDS for each in answering for path in GOOD)

    async def fresh(session: aiohttp.ClientSession, url: str) -> str | None:
        """Return a page on which no figure of those who are read is forgotten."""
        text = await pages.page(session, url)
        there = pages.series(text).keys()
        known = VALUES["metrics"] | VALUES["status"]
        projects = [(("project", slug(f"health {each}")),) for each in HEALTH]
        return text if all((name, of) in there for name in known for of in projects) else None

    async def neighbour_asked() -> bool:
        return all(fleet["neighbour"].asked[path] >= ROUNDS for path in GOOD)

    async with aiohttp.ClientSession() as session, listening(*fleet.values()):
        async with served(folder / "all.yml", entries, free_port()) as url:
            await until(asked_for_rounds, within=60, what="three rounds")
            text = await until(lambda: fresh(session, url), within=60, what="every figure")
            openmetrics = await pages.page(session, url, pages.OPENMETRICS)
        fleet["neighbour"].asked.clear()
        async with served(folder / "alone.yml", [neighbour], free_port()) as url:
            await until(neighbour_asked, within=WITHIN, what="three rounds")
            alone = await pages.page(session, url)
    strays = {
        name: sum(times for path, times in each.asked.items() if path not in GOOD)
        for name, each in fleet.items()
    }
    return Seen(text=text, openmetrics=openmetrics, alone=alone, strays=strays)


def _expected(
    state: State, reason: Reason | None, *, version: str = "", **reads: tuple[Reason | None, bool]
) -> set[str]:
    """List the series of a project; *reads* says of an endpoint what is counted, and if it is good.

    The values of an endpoint are added by the caller.
    """
    found = {
        f'project_threshold_ratio{{resource="{each}"}}' for each in ("cpu", "memory", "errors")
    }
    found |= {f'project_state{{state="{each}"}}' for each in State}
    found |= {"project_up", "project_probe_duration_seconds"}
    found |= {"project_slow_after_seconds", "project_slo_objective_ratio"}
    found.add(f'project_info{{mode="observe",version="{version}"}}')
    if reason:
        found.add(f'project_probe_failures_total{{reason="{reason}"}}')
    if state is not State.DOWN:
        found.add('project_reads_total{endpoint="health"}')
    for endpoint, (wrong, is_good) in reads.items():
        if wrong:
            found.add(f'project_read_failures_total{{endpoint="{endpoint}",reason="{wrong}"}}')
        if is_good:
            found.add(f'project_reads_total{{endpoint="{endpoint}"}}')
    return found


def _found(seen: Seen, name: str) -> tuple[set[str], dict[str, float]]:
    """Return the names of a project's series, and the values of those that say yes or no."""
    found = pages.of_project(seen.text, name)
    told = {
        key: number
        for key, number in found.items()
        if key.startswith(("project_up", "project_state"))
    }
    return set(found), told


def _told(state: State) -> dict[str, float]:
    states = {f'project_state{{state="{each}"}}': float(each is state) for each in State}
    return {"project_up": float(state is not State.DOWN), **states}


GOOD_READ = (None, True)


@pytest.mark.parametrize("name", HEALTH)
def test_a_hostile_health_is_a_state_and_a_counted_reason(seen: Seen, name: str) -> None:
    state, reason = HEALTH[name]
    version = "1.4.2" if name in KEPT else ""
    expected = _expected(state, reason, version=version, metrics=GOOD_READ, status=GOOD_READ)
    whole = expected | VALUES["metrics"] | VALUES["status"]
    assert _found(seen, slug(f"health {name}")) == (whole, _told(state))


@pytest.mark.parametrize("name", READS)
def test_a_hostile_reading_is_a_counted_reason(seen: Seen, name: str) -> None:
    expected = _expected(
        State.HEALTHY, None, version="1.4.2", metrics=READS[name], status=READS[name]
    )
    values = VALUES["metrics"] | VALUES["status"] if name in KEPT else set()
    assert _found(seen, slug(f"reads {name}")) == (expected | values, _told(State.HEALTHY))


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_text_adds_nothing_and_is_counted(seen: Seen, name: str) -> None:
    expected = _expected(
        State.HEALTHY, None, version="1.4.2", metrics=TEXTS[name], status=GOOD_READ
    )
    whole = expected | VALUES["status"]
    assert _found(seen, slug(f"texts {name}")) == (whole, _told(State.HEALTHY))


@pytest.mark.parametrize("name", WHOLE)
def test_a_project_that_cannot_be_reached_is_down_for_a_reason(seen: Seen, name: str) -> None:
    lost = (WHOLE[name], False)
    expected = _expected(State.DOWN, WHOLE[name], metrics=lost, status=lost)
    assert _found(seen, slug(name)) == (expected, _told(State.DOWN))


def _lasting(text: str) -> dict[str, float | None]:
    """Return the neighbour's series; a figure of how often or how long is left out."""
    passing = ("project_probe_duration_seconds", "project_reads_total")
    found = pages.of_project(text, "neighbour")
    return {key: None if key.startswith(passing) else number for key, number in found.items()}


def test_a_neighbour_is_told_of_as_if_it_were_alone(seen: Seen) -> None:
    assert (_lasting(seen.text), len(_lasting(seen.alone))) == (_lasting(seen.alone), 20)


def test_every_project_is_on_the_page_and_nobody_else(seen: Seen) -> None:
    names = {dict(labels).get("project") for _, labels in pages.series(seen.text)} - {None}
    slugs = [
        *(slug(f"health {each}") for each in HEALTH),
        *(slug(f"reads {each}") for each in READS),
        *(slug(f"texts {each}") for each in TEXTS),
        *(slug(each) for each in WHOLE),
    ]
    assert names == {"neighbour", *slugs}


def test_no_family_is_a_project_s_idea(seen: Seen) -> None:
    found = {name for name in pages.families(seen.text) if name.startswith("project_")}
    assert found - set(pages.families(seen.alone)) == {
        "project_probe_failures",
        "project_read_failures",
    } - set(pages.families(seen.alone))


def test_a_redirect_is_never_followed(seen: Seen) -> None:
    assert {name for name, times in seen.strays.items() if times} == set()


def test_no_series_is_doubled(seen: Seen) -> None:
    assert (pages.doubled(seen.text), pages.doubled(seen.openmetrics)) == ([], [])


def test_both_formats_parse_and_tell_of_the_same_series(seen: Seen) -> None:
    assert pages.parsed_alike(seen.text, seen.openmetrics)


def test_promtool_accepts_the_page(seen: Seen) -> None:
    assert pages.promtool(seen.text) == (0, "", "")


def test_nothing_failed_that_was_not_foreseen(seen: Seen) -> None:
    assert pages.value(seen.text, "exporter_failures_total") == 0
