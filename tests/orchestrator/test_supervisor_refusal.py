"""What the supervisor as a program refuses, in one line."""

import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from pathlib import Path

import aiohttp

from tests.conftest import FreePort
from tests.orchestrator.test_supervisor import SLEEPER, running, write


async def test_a_port_that_is_taken_is_one_line_and_status_1(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    port = free_port()
    (tmp_path / "other").mkdir()
    async with running(tmp_path, port, http, [SLEEPER]):
        refused = await run(str(write(tmp_path / "other", [SLEEPER])), "--listen", f":{port}")
    assert refused == (1, f"Error: 127.0.0.1:{port}: cannot listen: Address already in use\n")


async def test_a_state_that_is_used_by_another_is_one_line_and_status_1(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    async with running(tmp_path, free_port(), http, [SLEEPER]):
        refused = await run(str(tmp_path / "services.yml"), "--listen", f":{free_port()}")
    assert refused == (1, f"Error: {tmp_path}/state: another supervisor uses it\n")


async def test_an_unknown_key_is_one_line_and_status_1(tmp_path: Path) -> None:
    file = write(tmp_path, [{**SLEEPER, "dir": "/"}])
    unknown = "dir: unknown key; known here: name, argv, env, cwd, restart, url, ready\n"
    assert await run(str(file)) == (
        1,
        f"Error: {file}: services[0].{unknown}",
    )


async def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    status, said = await run(str(write(tmp_path, [SLEEPER])), "--listen", "0.0.0.0:3009")
    assert (status, "refusing to listen beyond loopback" in said) == (1, True)


async def test_the_help_shows_an_example() -> None:
    argv = [sys.executable, "-m", "orchestrator.supervisor", "--help"]
    process = await create_subprocess_exec(*argv, stdout=PIPE)
    out, _ = await process.communicate()
    assert "services.yml --listen 127.0.0.1:3009" in out.decode()


async def test_a_foreign_host_is_refused_everywhere(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    seen = []
    async with running(tmp_path, free_port(), http, [SLEEPER]) as supervisor:
        for path in ["/", "/services", "/control/sleeper", "/faults/sleeper/hang", "/-/healthy"]:
            async with http.get(supervisor.url + path, headers={"Host": "evil.example"}) as said:
                seen.append(said.status)
    assert seen == [403] * 5


async def run(*arguments: str) -> tuple[int | None, str]:
    """Run a supervisor that is to refuse; return its status and its complaint."""
    argv = [sys.executable, "-m", "orchestrator.supervisor", *arguments]
    process = await create_subprocess_exec(*argv, stderr=PIPE)
    _, said = await process.communicate()
    return process.returncode, said.decode()
