"""What can be said of the page for the pictures without npm."""

import json
import re
import tomllib
from pathlib import Path

from tests.dashboards.written import EVERY, panels, variables
from tests.pictures.site import HERE
from tests.pictures.take import NAMES, wanted

ROOT = Path(__file__).parents[2]
EVERYTHING = [panel for dashboard in EVERY.values() for panel in panels(dashboard)]


def source(name: str) -> str:
    return (HERE / "src" / name).read_text()


def test_every_type_of_panel_has_a_drawer() -> None:
    table = source("kinds/index.ts").split("KINDS")[1]
    drawn = set(re.findall(r"^  '?([a-z-]+)'?: \w+,$", table, re.MULTILINE))
    assert {panel["type"] for panel in EVERYTHING} - drawn == set()


def test_every_option_of_a_field_is_known() -> None:
    listed = re.search(r"STANDARD = \[(.*?)\]", source("fields.ts"), re.DOTALL)
    assert listed is not None
    known = set(re.findall(r"'(\w+)'", listed[1])) | {"custom"}
    configs = [panel["fieldConfig"] for panel in EVERYTHING]
    set_here = {name for config in configs for name in config["defaults"]}
    overridden = {
        option["id"].split(".")[0]
        for config in configs
        for override in config["overrides"]
        for option in override["properties"]
    }
    assert (set_here | overridden) - known == set()


def test_every_query_variable_is_one_that_the_page_can_ask() -> None:
    asked = [
        variable["query"]["query"]
        for dashboard in EVERY.values()
        for variable in variables(dashboard).values()
        if variable["type"] == "query"
    ]
    assert [query for query in asked if not re.fullmatch(r"label_values\(.*,\s*\w+\)", query)] == []


def test_the_lock_names_no_place_to_fetch_from() -> None:
    packages = json.loads((HERE / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_every_package_is_locked_by_its_content() -> None:
    packages = json.loads((HERE / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


def test_the_versions_are_exact() -> None:
    package = json.loads((HERE / "package.json").read_text())
    versions = [*package["dependencies"].values(), *package["devDependencies"].values()]
    assert [version for version in versions if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


def test_the_page_is_not_in_the_wheel() -> None:
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert built["targets"]["wheel"]["packages"] == ["orchestrator"]


def test_nothing_is_kept_of_what_npm_fetches_and_builds() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"tests/pictures/node_modules/", "tests/pictures/built/"} <= set(ignored)


def test_a_dashboard_has_two_pictures_unless_one_is_asked_for() -> None:
    asked = {"begin": "now-1h", "end": "now", "scrape": 15, "chosen": (("project", "chatbot"),)}
    both = wanted(dashboards=[], ways=(False, True), **asked)  # type: ignore[arg-type] # mixed
    (one,) = wanted(dashboards=NAMES[:1], ways=(True,), **asked)  # type: ignore[arg-type] # mixed
    assert len(both) == 2 * len(NAMES)
    assert one.name == f"{NAMES[0]}-unfolded.png"
    assert one.query == (
        f"dashboard={NAMES[0]}&from=now-1h&to=now&scrape=15&var-project=chatbot&unfold=1"
    )
