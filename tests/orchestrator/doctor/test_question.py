"""What the doctor makes of an answer, whatever the other side writes into it."""

import pytest
from aiohttp import web

from tests.conftest import Serve
from tests.orchestrator.doctor.town import asker


@pytest.mark.parametrize(
    "date",
    [
        "Sat, 21 Nov 99999999999 10:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2300",
        "Mon, 01 Jan 0001 00:00:00 +2300",
        "Sat, 21 Nov 2026 99:99:99 GMT",
        "yesterday",
    ],
)
async def test_a_date_that_is_none_costs_no_answer(serve: Serve, date: str) -> None:
    async def say(_: web.Request) -> web.Response:
        return web.json_response({"ready": True}, headers={"Date": date})

    app = web.Application()
    app.router.add_get("/", say)
    url = await serve(app)
    async with asker() as ask:
        reply = await ask.get(url)
    assert (reply.good, reply.data) == (True, {"ready": True})
