"""`python -m deploy.healthy URL`: is it well? For health checks, as the image has no curl."""

import asyncio
import sys
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

import aiohttp
import click

from orchestrator import secret

WITHIN = aiohttp.ClientTimeout(total=3)  # seconds


async def status(url: str, headers: Mapping[str, str]) -> int | None:
    """Return the status that *url* answers with, None when it does not."""
    try:
        async with (
            aiohttp.ClientSession(timeout=WITHIN, headers=headers) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            return answer.status
    except (aiohttp.ClientError, TimeoutError):
        return None


@click.command()
@click.argument("url")
@click.option("--user", default="prometheus", show_default=True, help="Who asks.")
@click.option("--password-file", type=click.Path(path_type=Path), help="Holds its password.")
def main(url: str, user: str, password_file: Path | None) -> None:
    """Ask URL; the exit status is 0 when it answers 200, else 1."""
    password = secret.from_file(password_file) if password_file else None
    shown = {"Authorization": aiohttp.encode_basic_auth(user, password)} if password else {}
    sys.exit(asyncio.run(status(url, shown)) != HTTPStatus.OK)


if __name__ == "__main__":
    main(prog_name="python -m deploy.healthy")
