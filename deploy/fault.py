"""`python -m deploy.fault PROJECT FAULT`: break a demo project, from within its container."""

import asyncio
from http import HTTPStatus

import aiohttp
import click

SUPERVISOR = "http://127.0.0.1:3009"


async def inject(supervisor: str, project: str, fault: str, query: dict[str, str]) -> str:
    """Break *project*; return what the supervisor says, raise ClickException when it refuses."""
    url = f"{supervisor}/faults/{project}/{fault}"
    try:
        async with aiohttp.ClientSession() as session, session.post(url, params=query) as answer:
            said = (await answer.text()).strip()
    except aiohttp.ClientError as error:
        raise click.ClickException(f"{supervisor}: {error}") from error
    if answer.status != HTTPStatus.OK:
        raise click.ClickException(said)
    return said


@click.command()
@click.argument("project")
@click.argument("fault")
@click.option("--for", "length", help="How long, like 3m; without it until it is repaired.")
def main(project: str, fault: str, length: str | None) -> None:
    """Break PROJECT by FAULT; a wrong name is told with those that there are."""
    query = {"for": length} if length else {}
    click.echo(asyncio.run(inject(SUPERVISOR, project, fault, query)))


if __name__ == "__main__":
    main(prog_name="python -m deploy.fault")
