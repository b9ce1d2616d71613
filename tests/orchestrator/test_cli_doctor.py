"""`orchestrator doctor` as a process, in a town where all is well, and in one where nothing is."""

import asyncio
from pathlib import Path

from aiohttp import web
from click.testing import CliRunner

from orchestrator import clock
from orchestrator.cli import main
from tests.conftest import FreePort, Serve
from tests.orchestrator.doctor.town import Town
from tests.terminal import orchestrator
from tests.webhook import make
from webhook import app
from webhook.api.desk import DESK
from webhook.store.database import Store


async def _town(serve: Serve, folder: Path) -> tuple[str, ...]:
    """Serve a project, a Prometheus, an Alertmanager and a webhook; return how to look at them."""
    town = Town()
    made = web.Application()
    made.router.add_get("/health", _healthy)
    made.router.add_route("*", "/{any:.*}", town._answer)
    town.url = await serve(made)
    config = folder / "orchestrator.yml"
    config.write_text(
        f"projects: [{{name: email-blast, url: '{town.url}', mode: act}}]\n"
        "playbooks: {ProjectDown: [restart_service]}\n"
        f"prometheus: {town.url}\nalertmanagers: ['{town.url}']\n"
    )
    hub = app.make(
        make.config(prometheus=town.url, alertmanagers=(town.url,)),
        Store(folder / "x.db"),
        version="1",
    )
    url = await serve(hub)
    hub[DESK].instruments.watchdog_at.set(clock.now().timestamp())
    return ("--config", str(config), "--url", url, "--db", str(folder / "x.db"))


async def _healthy(_: web.Request) -> web.Response:
    return web.json_response({"status": "healthy"})


async def test_where_all_is_well_nothing_fails(serve: Serve, tmp_path: Path) -> None:
    ran = await orchestrator("doctor", *await _town(serve, tmp_path))
    lines = ran.out.splitlines()
    assert [each for each in lines if each[:4] == "FAIL"] == []
    assert lines[0].startswith("ok   config: ")  # in line with what fails
    assert (ran.status, ran.err, lines[-1].endswith(" 0 FAIL")) == (0, "", True)


async def test_a_warning_fails_when_that_is_wanted(serve: Serve, tmp_path: Path) -> None:
    town = await _town(serve, tmp_path)
    config = tmp_path / "orchestrator.yml"
    config.write_text(f"{config.read_text()}analyzer: {{key_file: key, calls_per_hour: 0}}\n")
    (tmp_path / "key").write_text("sk-s3same")
    lax, strict = [
        await asyncio.to_thread(CliRunner().invoke, main, ("doctor", *town, *more))
        for more in ((), ("--strict",))
    ]
    assert "warn analyzer: " in lax.stdout
    assert (lax.exit_code, strict.exit_code) == (0, 1)


async def test_where_nothing_is_up_each_thing_is_told_with_what_to_do(
    free_port: FreePort, tmp_path: Path
) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    config = tmp_path / "orchestrator.yml"
    config.write_text(
        f"projects: [{{name: email-blast, url: '{away}', mode: act}}]\n"
        f"prometheus: {away}\nalertmanagers: ['{away}']\n"
    )
    ran = await orchestrator("doctor", "--config", str(config), "--url", away, "--json")
    told = ran.json
    failing = [each for each in told["findings"] if each["mark"] == "FAIL"]
    assert (ran.status, told["ok"]) == (1, False)
    assert [each["about"] for each in failing] == [
        "webhook",
        "prometheus",
        "alertmanager",
        "project",
        "project",
    ]
    assert all(each["do"] for each in failing)


async def test_a_mistake_in_the_configuration_is_told_with_its_path(
    free_port: FreePort, tmp_path: Path
) -> None:
    config = tmp_path / "orchestrator.yml"
    config.write_text("projcts: []\n")
    away = f"http://127.0.0.1:{free_port()}"
    ran = await asyncio.to_thread(
        CliRunner().invoke, main, ("doctor", "--config", str(config), "--url", away)
    )
    first = ran.stdout.splitlines()[0]
    said = f"FAIL config: {config}: projcts: unknown key, did you mean projects? -> mend it"
    assert (ran.exit_code, first.startswith(said)) == (1, True)
