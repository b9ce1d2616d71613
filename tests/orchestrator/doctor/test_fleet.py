"""What the doctor finds of the projects; it commands none of them."""

import ssl
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from orchestrator import clock
from orchestrator.answer import Reason
from orchestrator.doctor.finding import Finding
from orchestrator.doctor.fleet import examine, health_of
from orchestrator.health import Probe, State
from orchestrator.project import Control, Mode, Project, Tls
from tests.conftest import FreePort, Serve
from tests.webhook import make


def _app() -> web.Application:
    async def health(_: web.Request) -> web.Response:
        return web.json_response({"status": "healthy"})

    made = web.Application()
    made.router.add_get("/health", health)
    return made


async def _project(serve: Serve, **changes: object) -> Project:
    url = await serve(_app())
    return make.project(**{"url": url, "control": Control(url=f"{url}/control"), **changes})


async def _looked(*projects: Project) -> list[tuple[str, str]]:
    config = make.config(projects={each.name: each for each in projects})
    return [(each.mark.value, each.said) for each in await examine(config, clock.now)]


async def test_a_project_that_is_well_is_told_with_its_control(serve: Serve) -> None:
    project = await _project(serve)
    [health, control] = await _looked(project)
    assert (health[0], health[1].rpartition(", after ")[0]) == (
        "ok",
        f"email-blast at {project.url} is healthy",
    )
    said = f"email-blast: its control at {project.url}/control can be reached"
    assert control == ("ok", f"{said}; nothing was commanded")


@pytest.mark.parametrize(("mode", "mark"), [(Mode.ACT, "FAIL"), (Mode.OBSERVE, "warn")])
async def test_a_control_that_is_away_matters_where_it_is_used(
    serve: Serve, free_port: FreePort, mode: Mode, mark: str
) -> None:
    away = f"http://127.0.0.1:{free_port()}/control"
    found = await _looked(await _project(serve, mode=mode, control=Control(url=away)))
    said = f"email-blast: its control at {away} cannot be reached: Connection refused"
    assert found[1] == (mark, said)


@pytest.mark.parametrize(
    ("rights", "text", "mark", "said"),
    [
        (0o600, "secret", "ok", "email-blast: its token can be read, by nobody else"),
        (0o640, "secret", "warn", "email-blast: others on this machine can read TOKEN"),
        (0o600, "", "FAIL", "email-blast: control.token_file: TOKEN: empty"),
    ],
)
async def test_a_token_of_a_control_is_readable_by_us_alone(
    serve: Serve, tmp_path: Path, rights: int, text: str, mark: str, said: str
) -> None:
    token = tmp_path / "control.token"
    token.write_text(text)
    token.chmod(rights)
    control = Control(url=await serve(web.Application()), token_file=token)
    found = await _looked(await _project(serve, control=control))
    assert found[1] == (mark, said.replace("TOKEN", str(token)))


async def test_a_token_that_is_not_there_fails(serve: Serve, tmp_path: Path) -> None:
    control = Control(url=await serve(web.Application()), token_file=tmp_path / "none")
    found = await _looked(await _project(serve, control=control))
    said = f"email-blast: control.token_file: {tmp_path / 'none'}: No such file or directory"
    assert found[1] == ("FAIL", said)


PLACE = "email-blast at http://127.0.0.1:3010"


@pytest.mark.parametrize(
    ("state", "reason", "mark", "said"),
    [
        (State.DOWN, Reason.REFUSED, "FAIL", f"{PLACE} is down: it refuses connections"),
        (
            State.DOWN,
            Reason.BODY,
            "FAIL",
            f"{PLACE} is down: it answers what the contract does not know",
        ),
        (State.DEGRADED, None, "warn", f"{PLACE} is degraded"),
        (State.PAUSED, None, "warn", f"{PLACE} is paused"),
        (
            State.HEALTHY,
            Reason.CONTENT_TYPE,
            "warn",
            f"{PLACE}: its answer has a wrong Content-Type",
        ),
        (State.HEALTHY, None, "ok", f"{PLACE} is healthy, after 10 ms"),
    ],
)
def test_an_answer_is_judged_by_the_contract(
    state: State, reason: Reason | None, mark: str, said: str
) -> None:
    seen: Finding = health_of(make.project(), Probe(state=state, reason=reason, seconds=0.01))
    assert (seen.mark.value, seen.said) == (mark, said)


async def test_of_many_only_those_with_something_wrong_are_named(
    serve: Serve, free_port: FreePort
) -> None:
    well = await _project(serve)
    many = [make.project(name=f"p{n}", url=well.url, control=well.control) for n in range(5)]
    away = f"http://127.0.0.1:{free_port()}"
    down = make.project(name="down", url=away, control=well.control)
    assert await _looked(*many, down) == [
        ("FAIL", f"down at {away} is down: it refuses connections"),
        ("ok", "5 of 6 projects are as they should be"),
    ]


async def test_the_certificate_of_a_project_is_looked_at(
    free_port: FreePort, tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    runner = web.AppRunner(_app())
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    url = f"https://127.0.0.1:{port}"
    project = make.project(url=url, control=Control(url=url), tls=Tls(ca_file=tmp_path / "ca.pem"))
    found = await _looked(project)
    await runner.cleanup()
    said = f"the certificate of 127.0.0.1:{port} holds until 2038-01-01"
    assert [each[0] for each in found] == ["ok", "ok", "ok"]
    assert found[2][1][:-10] == said[:-10]
