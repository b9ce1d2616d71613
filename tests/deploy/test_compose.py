"""docker-compose.yml: safe by default, and of a piece with the files that it mounts."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.compose import (
    COMPOSE,
    ENVIRONMENT,
    JOBS,
    OURS,
    ROOT,
    RUNNING,
    SERVICES,
    VARIABLE,
    Mount,
    between,
    load,
    mounts,
    names,
    secrets,
    text,
)

# The keys that we use, of those that there are: a misspelled one is none of them.
KEYS: dict[str, set[str]] = {
    "": {"name", "services", "networks", "volumes", "secrets"},
    "service": {
        *("image", "build", "pull_policy", "command", "entrypoint", "environment", "user"),
        *("init", "profiles"),
        *("volumes", "secrets", "tmpfs", "read_only", "cap_drop", "security_opt", "deploy"),
        *("networks", "network_mode", "ports", "extra_hosts", "depends_on", "healthcheck"),
        *("restart", "stop_grace_period", "logging"),
    },
    "healthcheck": {"test", "interval", "timeout", "retries", "start_period"},
    "depends_on": {"condition", "required"},
    "limits": {"cpus", "memory", "pids"},
}


def test_no_key_is_one_that_there_is_not() -> None:
    written = {name for name in COMPOSE if not name.startswith("x-")}
    used: dict[str, set[str]] = {"": written, **{key: set() for key in KEYS if key}}
    for each in SERVICES.values():
        used["service"] |= each.keys()
        used["healthcheck"] |= each.get("healthcheck", {}).keys()
        used["depends_on"] |= {key for one in each.get("depends_on", {}).values() for key in one}
        used["limits"] |= each.get("deploy", {}).get("resources", {}).get("limits", {}).keys()
    assert used == KEYS


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_can_do_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    user = service.get("user", "that of the image" if service["image"] == OURS else "root")
    assert {
        "read_only": service["read_only"],
        "cap_drop": service["cap_drop"],
        "security_opt": service["security_opt"],
        "root": user.split(":")[0] in {"root", "0"},
        "privileged": {"privileged", "cap_add", "devices", "pid", "ipc"} & service.keys(),
    } == {
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "root": False,
        "privileged": set(),
    }


@pytest.mark.parametrize("name", RUNNING)
def test_every_service_is_limited_and_comes_back_and_does_not_fill_the_disk(name: str) -> None:
    service = SERVICES[name]
    assert service["deploy"]["resources"]["limits"].keys() == KEYS["limits"]
    assert service["restart"] == "unless-stopped"
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


def test_all_that_is_published_is_published_on_loopback() -> None:
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert published == {
        "alertmanager-1": ["127.0.0.1:9093:9093"],
        "prometheus": ["127.0.0.1:9090:9090"],
        "webhook": ["127.0.0.1:4001:4001"],
        "grafana": ["127.0.0.1:3000:3000"],
    }


def test_it_is_published_on_loopback_also_where_nothing_says_so() -> None:
    services: dict[str, Any] = load({"CONFIG": "./deploy/compose"})["services"]
    assert {name: each.get("ports") for name, each in services.items()} == {
        name: each.get("ports") for name, each in SERVICES.items()
    }


def test_every_image_is_pinned_by_its_tag() -> None:
    images = {each["image"] for each in SERVICES.values()}
    assert [each for each in images if not re.fullmatch(r"[\w/]+:v?\d+\.\d+\.\d+", each)] == []


def test_our_image_is_built_by_one_service_alone_and_asked_of_no_registry() -> None:
    ours = {name: each for name, each in SERVICES.items() if each["image"] == OURS}
    assert [name for name, each in SERVICES.items() if "build" in each] == ["keys"]
    assert {each.get("pull_policy") for each in ours.values()} == {"never"}


def test_what_depends_on_a_service_waits_until_it_is_well() -> None:
    for each in SERVICES.values():
        for other, how in each.get("depends_on", {}).items():
            assert how["condition"] == "service_healthy"
            assert "healthcheck" in SERVICES[other]
            # Without its profile there is none, and compose would refuse to start.
            assert how.get("required", True) is ("profiles" not in SERVICES[other])


def test_who_watches_is_started_without_the_watched() -> None:
    waits = {name: set(SERVICES[name].get("depends_on", {})) for name in RUNNING}
    assert waits["alertmanager-1"] | waits["alertmanager-2"] == set()
    assert waits["prometheus"] == {"alertmanager-1", "alertmanager-2"}


def _walls() -> dict[str, list[str]]:
    return {
        network: sorted(name for name in SERVICES if network in names(name))
        for network in COMPOSE["networks"]
    }


def test_the_networks_keep_projects_and_control_and_people_apart() -> None:
    watching = ["alertmanager-1", "alertmanager-2", "exporter", "prometheus", "webhook"]
    assert _walls() == {
        "projects": ["exporter", "fleet", "webhook"],
        "control": ["fleet", "webhook"],
        "watch": sorted([*watching, "orchestrator"]),
        "people": ["alertmanager-1", "alertmanager-2", "grafana", "prometheus", "webhook"],
        "outside": ["exporter", "webhook"],
    }


def test_what_is_published_is_on_a_network_that_has_a_way_to_the_host() -> None:
    networks = COMPOSE["networks"]
    internal = {name for name, each in networks.items() if each.get("internal")}
    assert internal == {"projects", "control", "watch"}
    assert [
        n for n, each in SERVICES.items() if "ports" in each and not names(n).keys() - internal
    ] == []


def test_the_host_has_no_address_where_there_is_no_way_out() -> None:
    closed = {"internal": True, "driver_opts": {"com.docker.network.bridge.inhibit_ipv4": "true"}}
    networks = COMPOSE["networks"]
    assert {name: networks[name] for name in ("projects", "control", "watch")} == {
        "projects": closed,
        "control": closed,
        "watch": closed,
    }


def test_the_demo_fleet_has_no_way_out_and_is_there_with_its_profile_alone() -> None:
    assert SERVICES["fleet"]["profiles"] == ["demo"]
    assert ENVIRONMENT["COMPOSE_PROFILES"] == "demo"
    assert all(COMPOSE["networks"][network]["internal"] for network in names("fleet"))
    assert {name for name in RUNNING if "profiles" in SERVICES[name]} == {"fleet"}


def _all_mounts() -> list[tuple[str, Mount]]:
    return [(name, mount) for name, each in SERVICES.items() for mount in mounts(each)]


def test_everything_that_is_mounted_from_the_checkout_exists() -> None:
    found = [mount.source for _, mount in _all_mounts() if mount.is_file]
    assert found
    assert [source for source in found if not (ROOT / source).is_dir()] == []


def test_nothing_of_the_checkout_can_be_written_but_the_secrets_by_those_who_make_them() -> None:
    written = [(name, m.source) for name, m in _all_mounts() if m.is_file and not m.read_only]
    assert written == [("keys", "./deploy/secrets")]


def test_every_volume_is_somebodys_and_nobody_shares_one() -> None:
    used = [mount.source for _, mount in _all_mounts() if not mount.is_file]
    assert sorted(used) == sorted(COMPOSE["volumes"])


def test_what_a_service_writes_is_a_volume_or_in_memory() -> None:
    said = {"--storage.path=", "--storage.tsdb.path=", "--db="}
    for name in RUNNING:
        words = SERVICES[name].get("command", [])
        written = [
            word.partition("=")[2] for word in words for flag in said if word.startswith(flag)
        ]
        kept = {mount.target for mount in mounts(SERVICES[name]) if not mount.is_file}
        assert [path for path in written if not any(path.startswith(each) for each in kept)] == []


def test_every_service_has_the_secrets_that_it_reads_and_no_other() -> None:
    assert {name: sorted(secrets(each)) for name, each in SERVICES.items()} == {
        "fleet": ["control.token"],
        "alertmanager-1": ["alertmanager.token"],
        "alertmanager-2": ["alertmanager.token"],
        "prometheus": ["exporter.password", "prometheus.token", "scraper.password"],
        "exporter": ["anthropic.key", "exporter.password", "exporter.web.yml"],
        "webhook": ["anthropic.key", "control.token", "webhook.tokens"],
        "grafana": ["grafana.key", "grafana.password", "scraper.password"],
        "keys": [],
        "orchestrator": ["admin.token", "anthropic.key"],
    }


def test_the_key_to_the_model_is_the_webhooks_alone() -> None:
    sources = {name: secrets(each).get("anthropic.key") for name, each in SERVICES.items()}
    having = {name for name, source in sources.items() if source == "anthropic.key"}
    assert having == {"webhook"}
    assert (ROOT / COMPOSE["secrets"]["nothing"]["file"]).read_bytes() == b""


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_is_told_to_read_in_run_secrets_is_there(name: str) -> None:
    service = SERVICES[name]
    texts = [str(service.get(key, "")) for key in ("command", "environment", "healthcheck")]
    for mount in mounts(service):
        files = Path(ROOT, mount.source).rglob("*.yml") if mount.is_file else ()
        texts += [path.read_text(encoding="utf-8") for path in files]
    read = {each for found in texts for each in re.findall(r"/run/secrets/([\w.]+\w)", found)}
    if name == "exporter":  # it only notes where the token is; the webhook is who reads it
        read.discard("control.token")
    if name == "orchestrator":
        read -= {"control.token"}
    if name == "fleet":  # its folder has the webhook's file, too, which it does not open
        read.discard("anthropic.key")
    assert read == set(secrets(service))


def test_no_secret_stands_in_the_environment() -> None:
    for each in SERVICES.values():
        said = each.get("environment", {})
        spoken = [name for name in said if re.search("PASSWORD|SECRET_KEY|TOKEN|API_KEY", name)]
        assert [name for name in spoken if not name.endswith(("__FILE", "_FILE"))] == []


def test_every_variable_is_explained_in_the_example_and_every_one_there_is_used() -> None:
    used = {found["name"] for found in VARIABLE.finditer(text())}
    assert used | {"COMPOSE_PROFILES"} == ENVIRONMENT.keys()


def test_the_default_of_a_variable_is_what_the_example_says() -> None:
    defaults = {v["name"]: v["else"] for v in VARIABLE.finditer(text()) if v["how"] == "-"}
    assert defaults == {name: ENVIRONMENT[name] for name in defaults}


def test_without_an_env_file_it_says_what_to_do_instead_of_starting_something() -> None:
    assert {v["else"] for v in VARIABLE.finditer(text()) if v["how"] == "?"} == {
        "copy .env.example to .env first"
    }


def test_what_is_run_by_hand_is_not_started_with_the_rest() -> None:
    assert {name: SERVICES[name]["profiles"] for name in JOBS} == {
        "keys": ["setup"],
        "orchestrator": ["cli"],
    }


@pytest.mark.parametrize(
    ("caller", "called"),
    [
        ("exporter", "fleet"),
        ("webhook", "fleet"),
        ("prometheus", "exporter"),
        ("prometheus", "webhook"),
        ("prometheus", "alertmanager-1"),
        ("prometheus", "alertmanager-2"),
        ("prometheus", "grafana"),
        ("alertmanager-1", "webhook"),
        ("alertmanager-1", "alertmanager-2"),
        ("webhook", "prometheus"),
        ("webhook", "alertmanager-2"),
        ("grafana", "prometheus"),
        ("grafana", "alertmanager-1"),
        ("orchestrator", "webhook"),
    ],
)
def test_who_calls_is_on_a_network_with_whom_it_calls(caller: str, called: str) -> None:
    assert between(caller, called)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("fleet", "prometheus"),
        ("fleet", "alertmanager-1"),
        ("fleet", "grafana"),
        ("grafana", "exporter"),
    ],
)
def test_who_has_no_business_with_each_other_cannot_meet(one: str, other: str) -> None:
    assert between(one, other) == set()
