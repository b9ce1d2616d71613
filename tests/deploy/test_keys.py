"""The secrets are made once, all of them, and nobody else may look."""

import stat
from collections.abc import Callable
from itertools import count
from pathlib import Path

import bcrypt
import pytest
from click.testing import CliRunner

from deploy import keys
from deploy.keys import CannotWrite, Halfway, make
from webhook import token

EVERY = [
    *("webhook.tokens", "alertmanager.token", "prometheus.token", "admin.token"),
    *("exporter.web.yml", "exporter.password"),
    *("control.token", "grafana.password", "grafana.key", "scraper.password", "anthropic.key"),
]


def _numbered() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"token-{next(numbers)}"


def _read(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_all_are_made_where_there_are_none(tmp_path: Path) -> None:
    assert make(tmp_path) == EVERY
    assert sorted(_read(tmp_path)) == sorted(EVERY)


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    make(tmp_path)
    before = _read(tmp_path)
    assert make(tmp_path) == []
    assert _read(tmp_path) == before


def test_one_that_belongs_to_no_other_can_be_made_anew_alone(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "grafana.password").unlink()
    assert make(tmp_path) == ["grafana.password"]


@pytest.mark.parametrize("lost", EVERY[:6])
def test_half_of_what_belongs_together_is_told_and_nothing_is_made(
    tmp_path: Path, lost: str
) -> None:
    make(tmp_path)
    (tmp_path / lost).unlink()
    before = _read(tmp_path)
    with pytest.raises(Halfway, match=f"{lost} missing beside"):
        make(tmp_path)
    assert _read(tmp_path) == before


def test_no_two_are_alike(tmp_path: Path) -> None:
    make(tmp_path)
    plain = [
        text for name, text in _read(tmp_path).items() if name.endswith((".token", "password"))
    ]
    assert len(set(plain)) == len(plain)


def test_the_password_fits_the_hash(tmp_path: Path) -> None:
    make(tmp_path, _numbered())
    made = _read(tmp_path)
    hashed = made["exporter.web.yml"].split('"')[1]
    assert bcrypt.checkpw(made["exporter.password"].strip().encode(), hashed.encode())


@pytest.mark.parametrize("name", ["alertmanager", "prometheus", "admin"])
def test_each_token_is_that_of_its_caller(tmp_path: Path, name: str) -> None:
    make(tmp_path, _numbered())
    made = _read(tmp_path)
    credentials = token.Shown(token=made[f"{name}.token"].strip().encode())
    found = token.caller(token.parse(made["webhook.tokens"]), credentials)
    assert found is not None
    assert found.name == name


def test_the_folder_is_its_owners_who_may_fill_in_and_the_files_are_read_by_who_is_given_them(
    tmp_path: Path,
) -> None:
    make(tmp_path)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert (stat.S_IMODE(tmp_path.stat().st_mode), modes) == (0o700, {0o644})


def test_a_folder_that_cannot_be_made_private_is_told_before_any_secret_is_in_it(
    tmp_path: Path,
) -> None:
    with pytest.raises(CannotWrite, match=r"which is OWNER in \.env"):
        make(tmp_path / "gone")


def test_it_says_what_it_made_and_none_of_it(tmp_path: Path) -> None:
    said = CliRunner().invoke(keys.main, [str(tmp_path)])
    assert (said.exit_code, said.output) == (0, f"made {', '.join(EVERY)}\n")
    again = CliRunner().invoke(keys.main, [str(tmp_path)])
    assert (again.exit_code, again.output) == (0, "nothing is missing\n")


def test_what_is_missing_is_an_error_of_one_line(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "admin.token").unlink()
    said = CliRunner().invoke(keys.main, [str(tmp_path)])
    assert said.exit_code == 1
    assert said.output.startswith(f"Error: {tmp_path}: admin.token missing beside webhook.tokens,")
