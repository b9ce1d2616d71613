"""What the doctor finds of Alertmanager."""

import pytest
from aiohttp import web

from orchestrator.doctor.alertmanager import examine
from tests.conftest import FreePort, Serve
from tests.orchestrator.doctor.town import Json, Town, asker, bad, looked
from tests.webhook import make

READY = {"status": "ready", "peers": [{"name": "a"}, {"name": "b"}]}


async def test_where_all_is_well_it_says_what_it_looked_at(serve: Serve) -> None:
    assert await looked(examine, Town(), serve) == [
        ("ok", "TOWN answers, version 0.28.0"),
        ("ok", "the clock of TOWN is ours, within 5 s"),
        ("ok", "TOWN has the receiver webhook"),
    ]


async def test_each_peer_is_looked_at(free_port: FreePort) -> None:
    peers = tuple(f"http://127.0.0.1:{free_port()}" for _ in range(2))
    async with asker() as ask:
        found = await examine(ask, make.config(alertmanagers=peers))
    said = [(each.mark.value, each.said) for each in found]
    assert said == [("FAIL", f"{each}: Connection refused") for each in peers]


@pytest.mark.parametrize(
    ("cluster", "found"),
    [
        (READY, []),
        ({"status": "disabled"}, [("warn", "TOWN is in no cluster, and 2 are configured")]),
        (
            {"status": "settling", "peers": []},
            [("warn", "TOWN has just started, its cluster settles")],
        ),
        ({"status": "ready", "peers": [{"name": "a"}]}, [("warn", "TOWN sees 1 of 2 peers")]),
        ({"status": "ready", "peers": None}, [("warn", "TOWN sees 0 of 2 peers")]),
    ],
)
async def test_of_a_pair_each_has_to_know_the_other(
    serve: Serve, cluster: Json, found: list[tuple[str, str]]
) -> None:
    town = Town(cluster=cluster)
    url = await serve(town.app())
    seen = bad(await looked(examine, town, serve, alertmanagers=(url, url)))
    assert [(mark, said.replace(url, "TOWN")) for mark, said in seen] == found * 2


@pytest.mark.parametrize(
    ("town", "said"),
    [
        (
            Town(receivers=["people"]),
            "TOWN has no receiver webhook, so no alert comes to the webhook",
        ),
        (
            Town(instead={"/api/v2/receivers": web.Response(status=500)}),
            "TOWN does not tell its receivers",
        ),
        (
            Town(instead={"/api/v2/status": web.json_response([])}),
            "TOWN: it answers, and not as an Alertmanager",
        ),
        (Town(instead={"/api/v2/status": web.Response(status=401)}), "TOWN: it answers 401"),
    ],
)
async def test_what_is_wrong_is_found(serve: Serve, town: Town, said: str) -> None:
    assert bad(await looked(examine, town, serve)) == [("FAIL", said)]
