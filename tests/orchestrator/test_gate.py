"""Who passes a gate with which password, and that a change counts without a restart."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import bcrypt
import pytest
import trustme

from orchestrator import gate
from orchestrator.webconfig import BadWebConfig
from tests.conftest import FreePort
from tests.orchestrator.site import (
    ALICE,
    HASH,
    OTHER,
    OTHER_HASH,
    PASSWORD,
    SALT,
    TLS,
    Open,
    basic,
    found,
    listening,
    severities,
)
from tests.waiting import until

WITHIN = 10.0  # seconds


@pytest.fixture
async def site(tmp_path: Path, free_port: FreePort) -> AsyncIterator[Open]:
    """Open a listener whose web.yml says what is given."""
    async with listening(tmp_path, free_port()) as start:
        yield start


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """Found an authority whose certificates the folder holds."""
    return found(tmp_path)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, bytes]]:
    """List the password and hash of every bcrypt check."""
    asked: list[tuple[bytes, bytes]] = []
    check = bcrypt.checkpw

    def noted(password: bytes, hashed: bytes) -> bool:
        asked.append((password, hashed))
        return check(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", noted)
    return asked


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (basic(f"alice:{PASSWORD}"), 200),
        (basic("bøb:pässword: 1"), 200),
        ({"Authorization": basic(f"alice:{PASSWORD}")["Authorization"].replace("B", "b", 1)}, 200),
        ({}, 401),
        (basic("alice:"), 401),
        (basic("alice"), 401),
        (basic(f"alice:{OTHER}"), 401),
        (basic(f"alice:{HASH}"), 401),
        (basic(f"Alice:{PASSWORD}"), 401),
        (basic(f"bøb:{PASSWORD}"), 401),
        (basic(f"mallory:{PASSWORD}"), 401),
        (basic(f":{PASSWORD}"), 401),
        (basic(f"alice:{PASSWORD}\0"), 401),
        (basic(f"alice:{'a' * 73}"), 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Basic"}, 401),
        ({"Authorization": "Basic YWxpY2U"}, 401),
        ({"Authorization": "Basic \u00e9"}, 401),
        ({"Authorization": "Basic /////w=="}, 401),
        ({"Authorization": f"Bearer {PASSWORD}"}, 401),
    ],
    ids=str,
)
async def test_only_a_user_with_the_right_password_passes(
    site: Open, authorization: dict[str, str], status: int
) -> None:
    other = bcrypt.hashpw("pässword: 1".encode(), SALT).decode()
    opened = await site(f"{ALICE[:-2]}, bøb: {other}}}")
    async with opened.client().get("/", headers=authorization) as answer:
        told = answer.status, answer.headers.get("WWW-Authenticate")
    assert told == (status, None if status == 200 else "Basic")


async def test_without_users_everyone_passes(site: Open) -> None:
    opened = await site("")
    assert (await opened.status(), opened.gate.authenticates) == (200, False)


async def test_the_headers_are_on_every_answer_unless_it_has_its_own(site: Open) -> None:
    headers = "{X-Frame-Options: deny, X-Content-Type-Options: nosniff}"
    client = (await site(f"{ALICE}http_server_config: {{headers: {headers}}}")).client()
    told = []
    for path, login in (("/", "alice:"), ("/", ""), ("/?own", "alice:"), ("/none", "alice:")):
        async with client.get(path, headers=basic(login + PASSWORD if login else "")) as answer:
            names = ("X-Frame-Options", "X-Content-Type-Options")
            told.append((answer.status, *(answer.headers[name] for name in names)))
    assert told == [
        (200, "deny", "nosniff"),
        (401, "deny", "nosniff"),
        (200, "sameorigin", "nosniff"),
        (404, "deny", "nosniff"),
    ]


async def test_a_password_that_changed_counts_from_the_next_request(site: Open) -> None:
    opened = await site(ALICE)
    before = [await opened.status("alice", each) for each in (PASSWORD, OTHER)]
    opened.write(f"basic_auth_users: {{alice: {OTHER_HASH}}}")
    after = [await opened.status("alice", each) for each in (PASSWORD, OTHER)]
    assert (before, after) == ([200, 401], [401, 200])


async def test_a_user_who_is_new_passes_though_refused_before(site: Open) -> None:
    opened = await site(ALICE)
    before = await opened.status("bob", PASSWORD)
    opened.write(f"basic_auth_users: {{alice: {HASH}, bob: {HASH}}}")
    assert (before, await opened.status("bob", PASSWORD)) == (401, 200)


async def test_a_broken_change_leaves_the_former_and_is_logged_once(
    site: Open, caplog: pytest.LogCaptureFixture
) -> None:
    opened = await site(ALICE)
    opened.write(f"basic_auth_users: {{alice: {OTHER_HASH}, bob: {PASSWORD}}}")
    statuses = [await opened.status("alice", each) for each in (PASSWORD, OTHER, PASSWORD)]
    assert (statuses, severities(caplog)) == ([200, 401, 200], ["ERROR"])


async def test_a_file_that_is_gone_leaves_the_former_until_it_is_back(
    site: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    opened = await site(ALICE)
    (opened.folder / "web.yml").unlink()
    without = await opened.status("alice", PASSWORD)
    opened.write(f"basic_auth_users: {{alice: {OTHER_HASH}}}")
    back = await opened.status("alice", OTHER)
    assert (without, back, severities(caplog)) == (200, 200, ["ERROR", "INFO"])


async def test_a_gate_needs_a_good_file_to_begin_with(site: Open) -> None:
    with pytest.raises(BadWebConfig):
        await site("basic_auth_users: []")


@pytest.mark.usefixtures("authority")
@pytest.mark.parametrize(
    ("first", "then"),
    [
        (ALICE, ""),
        (ALICE, "basic_auth_users: {}"),
        (ALICE, f"{ALICE}tls_server_config: {{{TLS}}}"),
        ("", f"{ALICE}tls_server_config: {{{TLS}}}"),
    ],
)
async def test_what_must_not_change_while_running_does_not(
    site: Open, caplog: pytest.LogCaptureFixture, first: str, then: str
) -> None:
    opened = await site(first)
    before = (await opened.status(), opened.gate.authenticates)
    opened.write(then)
    after = (await opened.status(), opened.gate.authenticates)
    assert (after, severities(caplog)) == (before, ["ERROR"])


async def test_callers_may_have_to_be_known_from_now_on(site: Open) -> None:
    opened = await site("")
    before = (await opened.status(), opened.gate.authenticates)
    opened.write(ALICE)
    after = (await opened.status(), opened.gate.authenticates)
    assert (before, after) == ((200, False), (401, True))


async def test_where_callers_are_known_by_other_means_users_are_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "web.yml"
    file.write_text("", encoding="utf-8")
    known = gate.Gate(file, users=False)
    file.write_text(ALICE, encoding="utf-8")
    assert (known.authenticates, severities(caplog)) == (False, ["ERROR"])


async def test_a_login_is_checked_once_right_or_wrong(
    site: Open, checks: list[tuple[bytes, bytes]]
) -> None:
    opened = await site(ALICE)
    logins = [("alice", PASSWORD), ("alice", OTHER), ("mallory", PASSWORD)] * 3
    statuses = [await opened.status(*login) for login in logins]
    asked = [(each.encode(), HASH.encode()) for each in (PASSWORD, OTHER, PASSWORD)]
    assert (statuses, checks) == ([200, 401, 401] * 3, asked)


async def test_guesses_do_not_drive_out_the_right_login(
    site: Open, checks: list[tuple[bytes, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "REMEMBERED", 2)
    opened = await site(ALICE)
    passwords = [PASSWORD, "0", "1", "0", "2", "0", "1", PASSWORD]
    for each in passwords:
        await opened.status("alice", each)
    assert [asked.decode() for asked, _ in checks] == [PASSWORD, "0", "1", "2", "1"]


async def test_an_unknown_user_takes_as_long_as_one_of_the_known(
    site: Open, checks: list[tuple[bytes, bytes]]
) -> None:
    opened = await site(f"basic_auth_users: {{alice: {HASH}, bob: {OTHER_HASH}}}")
    for user in "abcdefghijklmnopqrst":
        await opened.status(user, PASSWORD)
    assert {hashed.decode() for _, hashed in checks} == {HASH, OTHER_HASH}


async def test_a_password_that_bcrypt_cannot_take_is_not_checked(
    site: Open, checks: list[tuple[bytes, bytes]]
) -> None:
    opened = await site(ALICE)
    statuses = [await opened.status("alice", "a" * length) for length in (72, 73)]
    assert (statuses, [len(password) for password, _ in checks]) == ([401, 401], [72])


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Hold every check of a password that begins with "slow"; lists them as they begin."""
    begun: list[str] = []
    go_on = threading.Event()
    check = bcrypt.checkpw

    def slow(password: bytes, hashed: bytes) -> bool:
        if password.startswith(b"slow"):
            begun.append(password.decode())
            go_on.wait(WITHIN)
        return check(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", slow)
    yield begun
    go_on.set()


async def test_others_are_answered_while_passwords_are_checked(
    site: Open, held: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "WAITING", 3)
    opened = await site(ALICE)
    first = await opened.status("alice", PASSWORD)
    async with asyncio.TaskGroup() as group:
        slow = [group.create_task(opened.status("alice", f"slow{n}")) for n in range(4)]

        async def one_is_refused() -> bool:
            return len(held) == 2 and any(each.done() for each in slow)

        await until(one_is_refused, within=WITHIN, what="two checks and one refusal")
        during = [await opened.status("alice", PASSWORD), await opened.status()]
        begun = len(held), sum(each.done() for each in slow)
        for each in slow:
            each.cancel()
    refused = [each.result() for each in slow if not each.cancelled()]
    assert (first, during, begun, refused) == (200, [200, 503], (2, 1), [503])


async def test_a_secret_is_in_no_repr_and_no_log(
    site: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    opened = await site(ALICE)
    statuses = [await opened.status("alice", each) for each in (PASSWORD, OTHER)]
    opened.write(f"basic_auth_users: {{alice: {OTHER_HASH}, bob: {PASSWORD}}}")
    statuses.append(await opened.status("alice", PASSWORD))
    login = gate._login(basic(f"alice:{PASSWORD}")["Authorization"])
    told = [repr(login), repr(vars(opened.gate)), *(repr(vars(each)) for each in caplog.records)]
    secrets = (PASSWORD, OTHER, HASH, OTHER_HASH, basic(f"alice:{PASSWORD}")["Authorization"])
    assert [each for each in told if any(secret in each for secret in secrets)] == []
    assert (statuses, repr(login)) == ([200, 401, 200], "_Login(user='alice')")
