"""Each port, path, flag and name in docker-compose.yml is one that the programs know."""

import importlib
import re
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest
import yaml
from aiohttp.web import RouteDef

from deploy.keys import make
from exporter.routes import ROUTES
from orchestrator import config, webconfig
from orchestrator.check import check
from orchestrator.demo.stack import METRICS, PLAYBOOKS, PORTS, PROJECTS
from orchestrator.source import Source
from orchestrator.supervisor import service
from orchestrator.version import VERSION
from tests.deploy.compose import COMPOSE, OURS, ROOT, RUNNING, SERVICES, mounts, names
from webhook import token
from webhook.app import check_playbooks

CONFIG = ROOT / "deploy/compose/orchestrator.yml"


def _program(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command of `python -m MODULE`, and what it is given."""
    module = importlib.import_module(words[2])
    main = getattr(module, "main", None) or importlib.import_module(f"{words[2]}.__main__").main
    assert isinstance(main, click.Command)
    return main, words[3:]


def _started() -> list[list[str]]:
    """Return every command of ours that a container runs."""
    ours = [each for each in SERVICES.values() if each["image"] == OURS]
    checks = [each["healthcheck"]["test"][1:] for each in ours if "healthcheck" in each]
    mains = [each["command"] for each in ours if "command" in each]
    return [*mains, *checks, *(list(each.argv) for each in _fleet().services.values())]


def _fleet() -> service.Fleet:
    return service.load(ROOT / "deploy/compose/services.yml")


@pytest.mark.parametrize("words", _started(), ids=lambda words: " ".join(words)[:40])
def test_every_program_of_ours_takes_what_it_is_given(words: list[str], tmp_path: Path) -> None:
    there = [str(tmp_path) if word == "/secrets" else word for word in words]  # has to exist
    program, given = _program(there)
    with program.make_context(words[2], given) as context:
        assert context.args == []


def _loaded(tmp_path: Path) -> config.Config:
    """Load the demo's configuration as in the container, with its secrets in *tmp_path*."""
    make(tmp_path)
    text = CONFIG.read_text(encoding="utf-8").replace("/run/secrets/", f"{tmp_path}/")
    return config.decode(text, source=str(CONFIG))


def test_the_configuration_of_the_demo_can_be_used(tmp_path: Path) -> None:
    make(tmp_path)
    written = tmp_path / "orchestrator.yml"
    text = CONFIG.read_text(encoding="utf-8").replace("/run/secrets/", f"{tmp_path}/")
    written.write_text(text, encoding="utf-8")
    assert check(Source(path=written)).mistakes == ()
    check_playbooks(_loaded(tmp_path))


def test_the_demo_in_containers_is_the_demo(tmp_path: Path) -> None:
    loaded = _loaded(tmp_path)
    assert [*loaded.projects] == list(PROJECTS)
    assert {
        name: {gauge.name.removeprefix("project_"): gauge.source for gauge in each.metrics}
        for name, each in loaded.projects.items()
    } == METRICS
    assert {name: list(steps) for name, steps in loaded.playbooks.items()} == PLAYBOOKS


def test_every_project_is_where_the_door_lets_in_and_its_commands_go_where_it_asks_for_a_token(
    tmp_path: Path,
) -> None:
    door = _fleet().services["door"].argv
    pairs = [(door[at + 1], door[at + 2]) for at, word in enumerate(door) if word == "--open"]
    assert dict(pairs) == {
        f"projects:{PORTS[name]}": f"127.0.0.1:{PORTS[name]}" for name in PROJECTS
    }
    guarded = door.index("--guarded")
    assert door[guarded + 1 :] == ("supervisor:3009", "127.0.0.1:3009")
    assert {
        name: (each.url, each.control.url) for name, each in _loaded(tmp_path).projects.items()
    } == {
        name: (f"http://projects:{PORTS[name]}", f"http://supervisor:3009/control/{name}")
        for name in PROJECTS
    }


def test_the_names_of_the_door_are_each_of_one_network_alone() -> None:
    found = names("fleet")
    assert [net for net, known in found.items() if "projects" in known] == ["projects"]
    assert [net for net, known in found.items() if "supervisor" in known] == ["control"]


def test_the_demo_projects_listen_where_they_are_looked_for() -> None:
    projects = {name: each for name, each in _fleet().services.items() if each.url}
    assert {
        name: (each.argv[each.argv.index("--listen") + 1], each.url)
        for name, each in projects.items()
    } == {
        name: (f"127.0.0.1:{PORTS[name]}", f"http://127.0.0.1:{PORTS[name]}") for name in PROJECTS
    }


def _listening() -> dict[str, set[int]]:
    """Return the ports that each service listens on, by its command."""
    found: dict[str, set[int]] = {"grafana": {3000}}  # its default
    for name, each in RUNNING.items():
        words = [word for word in each.get("command", []) if "listen" in word]
        ports = {int(word.rpartition(":")[2]) for word in words if "cluster" not in word}
        found.setdefault(name, set()).update(ports)
    return found


def test_what_is_published_and_checked_is_what_is_listened_on() -> None:
    listening = _listening()
    for name, each in RUNNING.items():
        inside = {int(port.rpartition(":")[2]) for port in each.get("ports", [])}
        checked = {
            int(port)
            for port in re.findall(r"127\.0\.0\.1:(\d+)", " ".join(each["healthcheck"]["test"]))
        }
        assert inside | checked == listening[name]


def test_what_others_call_is_what_is_listened_on(tmp_path: Path) -> None:
    loaded, listening = _loaded(tmp_path), _listening()
    sources = yaml.safe_load(
        (ROOT / "deploy/grafana/provisioning/datasources/datasources.yml").read_text()
    )["datasources"]
    urls = [loaded.prometheus, *loaded.alertmanagers, *(each["url"] for each in sources)]
    urls += [SERVICES["orchestrator"]["environment"]["ORCHESTRATOR_URL"]]
    called = [urlsplit(url) for url in urls]
    assert [each for each in called if each.port not in listening[str(each.hostname)]] == []
    assert set(loaded.alertmanagers) == {
        f"http://{name}:9093" for name in SERVICES if "alertmanager" in name
    }


def test_people_reach_the_webhook_where_links_lead_to(tmp_path: Path) -> None:
    assert _loaded(tmp_path).url == "http://127.0.0.1:4001"
    assert SERVICES["webhook"]["ports"] == ["127.0.0.1:4001:4001"]


def test_health_is_asked_on_routes_that_there_are() -> None:
    asked = {
        name: urlsplit(
            re.findall(r"http://\S+", " ".join(SERVICES[name]["healthcheck"]["test"]))[0]
        ).path
        for name in ("exporter", "webhook", "fleet")
    }
    assert asked == {"exporter": "/-/ready", "webhook": "/-/ready", "fleet": "/-/healthy"}
    assert asked["exporter"] in {route.path for route in ROUTES if isinstance(route, RouteDef)}


def test_the_image_is_of_this_version() -> None:
    assert f"orchestrator:{VERSION}" == OURS


def test_the_pair_is_run_as_the_routing_page_says() -> None:
    for one, other in (("alertmanager-1", "alertmanager-2"), ("alertmanager-2", "alertmanager-1")):
        flags = SERVICES[one]["command"]
        assert "--cluster.peer-timeout=2s" in flags
        assert f"--cluster.peer={other}:9094" in flags


def test_prometheus_remembers_what_the_error_budgets_look_back_on() -> None:
    assert "--storage.tsdb.retention.time=35d" in SERVICES["prometheus"]["command"]


def test_the_secrets_are_those_that_are_made(tmp_path: Path) -> None:
    named = {Path(each["file"]).name for each in COMPOSE["secrets"].values()} - {"nothing"}
    assert named == set(make(tmp_path))


def test_what_is_made_is_what_the_programs_read(tmp_path: Path) -> None:
    make(tmp_path)
    lines = token.parse((tmp_path / "webhook.tokens").read_text(encoding="utf-8"))
    assert {each.caller.name: str(each.caller.role) for each in lines} == {
        "alertmanager": "alertmanager",
        "prometheus": "viewer",
        "admin": "admin",
    }
    assert set(webconfig.load(tmp_path / "exporter.web.yml").users) == {"prometheus"}


def test_grafana_begins_with_a_dashboard_that_it_is_given() -> None:
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    [folder] = [m.source for m in mounts(SERVICES["grafana"]) if m.target == str(home.parent)]
    assert (ROOT / folder / home.name).exists()


def test_grafana_reads_the_dashboards_where_they_are_mounted() -> None:
    path = ROOT / "deploy/grafana/provisioning/dashboards/dashboards.yml"
    [provider] = yaml.safe_load(path.read_text(encoding="utf-8"))["providers"]
    assert provider["options"]["path"] in {m.target for m in mounts(SERVICES["grafana"])}


def test_grafana_shows_its_figures_to_who_has_the_password_that_prometheus_shows() -> None:
    said = SERVICES["grafana"]["environment"]
    mounted = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    [job] = [each for each in mounted["scrape_configs"] if each["job_name"] == "grafana"]
    assert job["basic_auth"] == {
        "username": said["GF_METRICS_BASIC_AUTH_USERNAME"],
        "password_file": said["GF_METRICS_BASIC_AUTH_PASSWORD__FILE"],
    }
    assert job["static_configs"] == [{"targets": ["grafana:3000"]}]


def test_grafana_is_told_which_prometheus_it_asks() -> None:
    path = ROOT / "deploy/grafana/provisioning/datasources/datasources.yml"
    [told] = [
        each["jsonData"]["prometheusVersion"]
        for each in yaml.safe_load(path.read_text(encoding="utf-8"))["datasources"]
        if each["type"] == "prometheus"
    ]
    assert SERVICES["prometheus"]["image"] == f"prom/prometheus:v{told}"


def test_the_data_sources_have_names_that_do_not_change() -> None:
    path = ROOT / "deploy/grafana/provisioning/datasources/datasources.yml"
    found = yaml.safe_load(path.read_text(encoding="utf-8"))["datasources"]
    assert {each["uid"]: (each["type"], each["editable"]) for each in found} == {
        "prometheus": ("prometheus", False),
        "alertmanager": ("alertmanager", False),
    }


def test_no_provisioning_has_a_sign_that_grafana_would_expand() -> None:
    files = (ROOT / "deploy/grafana/provisioning").rglob("*.yml")
    assert [path for path in files if "$" in path.read_text(encoding="utf-8")] == []
