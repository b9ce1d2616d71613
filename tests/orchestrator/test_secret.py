"""A secret is one line of a file or of the environment, and no error tells what it says."""

from pathlib import Path

import pytest

from orchestrator.secret import LIMIT, from_environment, from_file

WRONG = "not one line of printable ASCII, 8192 characters at most"
TEXTS = {
    "empty": ("", "empty"),
    "blank": (" \n\t", "empty"),
    "two lines": ("s3same\ns3same", WRONG),
    "a header of its own": ("s3same\r\nX-Evil: 1", WRONG),
    "a control character": ("s3same\x00", WRONG),
    "not ASCII": ("s3sam\u00e9", WRONG),
    "too long": ("s" * (LIMIT + 1), WRONG),
}


@pytest.mark.parametrize("text", ["s3same", "s3same\n", "  s3same\r\n", "\n\ts3same \n\n"])
def test_what_stands_around_a_secret_does_not_count(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(text.encode())
    assert (from_file(path), from_environment("KEY", {"KEY": text})) == ("s3same", "s3same")


@pytest.mark.parametrize("secret", ["a b", "~!@#$%^&*()", "s" * LIMIT])
def test_a_line_of_printable_characters_is_a_secret(tmp_path: Path, secret: str) -> None:
    path = tmp_path / "secret"
    path.write_text(secret, encoding="ascii")
    assert (from_file(path), from_environment("KEY", {"KEY": secret})) == (secret, secret)


@pytest.mark.parametrize(("text", "why"), TEXTS.values(), ids=TEXTS)
def test_a_file_without_a_secret_says_only_why(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "secret"
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.raises(ValueError, match=r".") as refused:
        from_file(path)
    assert str(refused.value) == f"{path}: {why}"


@pytest.mark.parametrize(("text", "why"), TEXTS.values(), ids=TEXTS)
def test_a_variable_without_a_secret_says_only_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        from_environment("KEY", {"KEY": text})
    assert str(refused.value) == f"the variable KEY: {why}"


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        from_file(tmp_path / "secret")
    assert str(refused.value) == f"{tmp_path / 'secret'}: No such file or directory"


def test_a_folder_is_no_secret(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        from_file(tmp_path)
    assert str(refused.value) == f"{tmp_path}: Is a directory"


def test_a_file_of_bytes_is_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r".") as refused:
        from_file(path)
    assert str(refused.value) == f"{path}: not UTF-8"


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        from_environment("KEY", {"OTHER": "s3same"})
    assert str(refused.value) == "the variable KEY is not set"
