"""Take a picture of each dashboard with real data: `python -m tests.pictures.take`."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import click

from tests.pictures.chromium import BrowserFailed, Tab, tab
from tests.pictures.site import DASHBOARDS, HERE, site

WIDTH: Final = 1600
READY: Final = 90  # seconds
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


def build() -> None:
    """Fetch what the page is made of, and build it, if either is older than its source."""
    npm = shutil.which("npm")
    if npm is None:
        raise click.ClickException("pictures need npm, which is not installed")
    lock, fetched = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    if not fetched.exists() or fetched.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run([npm, "ci"], cwd=HERE, check=True)  # noqa: S603 - their own words
    page = HERE / "built" / "index.html"
    sources = [*HERE.glob("src/**/*"), *HERE.glob("*.js*"), HERE / "index.html"]
    if not page.exists() or page.stat().st_mtime < max(each.stat().st_mtime for each in sources):
        quiet = [npm, "run", "build", "--silent", "--", "--logLevel", "error"]
        subprocess.run(quiet, cwd=HERE, check=True)  # noqa: S603 - their own words


async def taken(page: Tab, address: str, shot: Shot) -> tuple[bytes, dict[str, Any]]:
    """Return the picture, and what the page tells of its panels."""
    await page.size(WIDTH, 1200)
    await page.do("Page.navigate", url=f"{address}/?{shot.query}")
    async with asyncio.timeout(READY):
        told: dict[str, Any] = await page.value("window.drawn")
    await page.size(WIDTH, max(told["height"], 300))
    await page.value(PAINTED)
    return await page.picture(), told


async def take(shots: Sequence[Shot], *, prometheus: str, browser: str, into: Path) -> list[str]:
    """Write the pictures; return what went wrong, a line each."""
    faults: list[str] = []
    async with site(prometheus) as address, tab(browser) as page:
        await page.do("Page.enable")
        await page.do("Page.addScriptToEvaluateOnNewDocument", source=PROMISE)
        for shot in shots:
            picture, told = await taken(page, address, shot)
            (into / shot.name).write_bytes(picture)
            empty = [panel["title"] for panel in told["panels"] if not panel["rows"]]
            click.echo(f"{shot.name}: {len(told['panels'])} panels, empty: {empty}")
            faults += [f"{shot.name}: {fault}" for fault in told["faults"]]
    return faults


def shrink(pictures: Sequence[Path]) -> None:
    """Write the pictures anew with as few colors as they need."""
    node = shutil.which("node") or "node"
    subprocess.run([node, "shrink.mjs", *map(str, pictures)], cwd=HERE, check=True)  # noqa: S603


@click.command()
@click.option("--prometheus", required=True, help="Its address.")
@click.option("--dashboard", "dashboards", multiple=True, type=click.Choice(NAMES))
@click.option("--from", "begin", default="now-1h", show_default=True)
@click.option("--to", "end", default="now", show_default=True)
@click.option("--scrape", default=15, show_default=True, help="Seconds between two scrapes.")
@click.option("--var", "chosen", multiple=True, metavar="NAME=VALUE", help="What is chosen.")
@click.option("--unfold/--folded", default=None, help="Only one of the two pictures.")
@click.option("--browser", default="/usr/bin/chromium", show_default=True)
@click.option("--into", type=click.Path(path_type=Path), default=Path("docs/pictures"))
def main(*, unfold: bool | None, into: Path, prometheus: str, browser: str, **asked: Any) -> None:  # noqa: ANN401 - click's
    """Take a picture of each dashboard, folded as it opens and with every row unfolded."""
    build()
    into.mkdir(parents=True, exist_ok=True)
    shots = list(wanted(ways=(False, True) if unfold is None else (unfold,), **asked))
    try:
        faults = asyncio.run(take(shots, prometheus=prometheus, browser=browser, into=into))
    except (BrowserFailed, TimeoutError, OSError) as reason:
        raise click.ClickException(f"no picture: {type(reason).__name__}: {reason}") from reason
    shrink([(into / shot.name).absolute() for shot in shots])
    for fault in faults:
        click.echo(fault, err=True)
    sys.exit(1 if faults else 0)


def wanted(
    *,
    dashboards: Sequence[str],
    begin: str,
    end: str,
    scrape: int,
    chosen: Sequence[str],
    ways: Sequence[bool],
) -> list[Shot]:
    """Return the pictures that were asked for; all dashboards if none was named."""
    pairs = tuple((name, value) for name, _, value in (each.partition("=") for each in chosen))
    return [
        Shot(dashboard=name, begin=begin, end=end, scrape=scrape, unfold=way, chosen=pairs)
        for name in dashboards or NAMES
        for way in ways
    ]


if __name__ == "__main__":
    main()
