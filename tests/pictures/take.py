"""Take a picture of each dashboard with real data: `python -m tests.pictures.take`."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlencode

import click
from yarl import URL

from tests.pictures.chromium import BrowserFailed, Tab, tab
from tests.pictures.ports import END, NoneFree, free
from tests.pictures.site import DASHBOARDS, HERE, site

WIDTH: Final = 1600
NAMES: Final = sorted(path.stem for path in DASHBOARDS.glob("*.json"))
PROMISE: Final = "window.drawn = new Promise((draw) => (window.draw = draw))"
PAINTED: Final = "new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture to take: of which dashboard, of what time, and what is chosen on it."""

    dashboard: str
    begin: str
    end: str
    scrape: int  # seconds between two scrapes
    unfold: bool
    chosen: tuple[tuple[str, str], ...] = ()  # variables and their values

    @property
    def name(self) -> str:
        """Return the name of its file."""
        return self.dashboard + ("-unfolded" if self.unfold else "") + ".png"

    @property
    def query(self) -> str:
        """Return what the page is asked for."""
        asked = {
            "dashboard": self.dashboard,
            "from": self.begin,
            "to": self.end,
            "scrape": str(self.scrape),
            **{f"var-{name}": value for name, value in self.chosen},
        }
        return urlencode(asked | ({"unfold": "1"} if self.unfold else {}))


def program(name: str) -> str:
    """Return where a program is; raises ClickException if it is nowhere."""
    found = shutil.which(name)
    if found is None:
        raise click.ClickException(f"pictures need {name}, which is not installed")
    return found


def run(name: str, *arguments: str) -> None:
    """Run a program of the page's; raises ClickException unless it ends well."""
    try:
        subprocess.run([program(name), *arguments], cwd=HERE, check=True)  # noqa: S603  ours
    except subprocess.CalledProcessError as reason:
        said = f"{name} {arguments[0]} failed with exit status {reason.returncode}"
        raise click.ClickException(said) from reason


def build() -> None:
    """Fetch what the page is made of, and build it, if either is older than its source."""
    lock, fetched = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    if not fetched.exists() or fetched.stat().st_mtime < lock.stat().st_mtime:
        run("npm", "ci")
    page = HERE / "built" / "index.html"
    sources = [*HERE.glob("src/**/*"), *HERE.glob("*.js*"), HERE / "index.html"]
    if not page.exists() or page.stat().st_mtime < max(each.stat().st_mtime for each in sources):
        run("npm", "run", "build", "--silent", "--", "--logLevel", "error")


async def taken(page: Tab, address: str, shot: Shot) -> tuple[bytes, dict[str, Any]]:
    """Return the picture, and what the page tells of its panels."""
    await page.size(WIDTH, 1200)
    await page.do("Page.navigate", url=f"{address}/?{shot.query}")
    told: dict[str, Any] = await page.value("window.drawn")
    await page.size(WIDTH, max(told["height"], 300))
    await page.value(PAINTED)
    return await page.picture(), told


async def take(
    shots: Sequence[Shot], *, prometheus: URL, browser: str, first_port: int, into: Path
) -> list[str]:
    """Write the pictures; return what went wrong, a line each."""
    faults: list[str] = []
    ports = free(first_port)
    async with (
        site(prometheus, port=next(ports)) as address,
        tab(browser, port=next(ports)) as page,
    ):
        await page.do("Page.enable")
        await page.do("Page.addScriptToEvaluateOnNewDocument", source=PROMISE)
        for shot in shots:
            picture, told = await taken(page, address, shot)
            (into / shot.name).write_bytes(picture)
            faults += [f"{shot.name}: {fault}" for fault in judged(shot, told)]
    return faults


def judged(shot: Shot, told: Mapping[str, Any]) -> list[str]:
    """Say what is empty on a picture; return what is wrong with it."""
    empty = [panel["title"] for panel in told["panels"] if not panel["rows"]]
    click.echo(f"{shot.name}: {len(told['panels'])} panels, empty: {empty}")
    if told["panels"] and len(empty) == len(told["panels"]) and not told["faults"]:
        return ["nothing but empty panels"]
    return list(told["faults"])


def address(_: click.Context, __: click.Parameter, value: str) -> URL:
    """Read the address of a Prometheus; raises BadParameter."""
    try:
        url = URL(value)
    except ValueError as reason:
        raise click.BadParameter(f"{value!r} is no address: {reason}") from reason
    if url.scheme not in {"http", "https"} or not url.host:
        raise click.BadParameter(f"{value!r} is not like http://127.0.0.1:4002")
    return url


def pairs(
    _: click.Context, __: click.Parameter, values: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """Read variables and their values; raises BadParameter."""
    strange = [value for value in values if "=" not in value]
    if strange:
        raise click.BadParameter(f"{strange[0]!r} is not like project=chatbot")
    return tuple((name, value) for name, _, value in (each.partition("=") for each in values))


@click.command()
@click.option("--prometheus", required=True, callback=address, help="Its address.")
@click.option("--dashboard", "dashboards", multiple=True, type=click.Choice(NAMES))
@click.option("--from", "begin", default="now-1h", show_default=True)
@click.option("--to", "end", default="now", show_default=True)
@click.option("--scrape", default=15, show_default=True, help="Seconds between two scrapes.")
@click.option("--var", "chosen", multiple=True, callback=pairs, metavar="NAME=VALUE")
@click.option("--unfold/--folded", default=None, help="Only one of the two pictures.")
@click.option("--browser", default="chromium", show_default=True)
@click.option(
    "--first-port",
    type=click.IntRange(1024, END - 2),
    default=24_900,
    show_default=True,
    help="The first two from here on that are free are taken.",
)
@click.option("--into", type=click.Path(path_type=Path), default=Path("docs/pictures"))
def main(
    *,
    unfold: bool | None,
    into: Path,
    browser: str,
    prometheus: URL,
    first_port: int,
    **asked: Any,  # noqa: ANN401 - click's
) -> None:
    """Take a picture of each dashboard, folded as it opens and with every row unfolded.

    Writes none of them unless all are without a fault.
    """
    found = program(browser)
    build()
    shots = list(wanted(ways=(False, True) if unfold is None else (unfold,), **asked))
    with TemporaryDirectory() as name:
        folder = Path(name)
        taking = take(
            shots, prometheus=prometheus, browser=found, first_port=first_port, into=folder
        )
        try:
            faults = asyncio.run(taking)
        except (BrowserFailed, NoneFree, OSError) as reason:
            raise click.ClickException(f"no picture: {reason}") from reason
        if faults:
            click.echo("\n".join(faults), err=True)
            sys.exit(1)
        keep([folder / shot.name for shot in shots], into)


def keep(pictures: Sequence[Path], into: Path) -> None:
    """Move the pictures to *into*, with as few colors as they need."""
    run("node", "shrink.mjs", *map(str, pictures))
    into.mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        shutil.move(picture, into / picture.name)


def wanted(
    *,
    dashboards: Sequence[str],
    begin: str,
    end: str,
    scrape: int,
    chosen: tuple[tuple[str, str], ...],
    ways: Sequence[bool],
) -> list[Shot]:
    """Return the pictures that were asked for; all dashboards if none was named."""
    return [
        Shot(dashboard=name, begin=begin, end=end, scrape=scrape, unfold=way, chosen=chosen)
        for name in dashboards or NAMES
        for way in ways
    ]


if __name__ == "__main__":
    main()
