"""Files become a TLS setting, or the key to look at is named."""

import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from orchestrator.project import Tls
from orchestrator.tls import BadTls, context

NO_PEM = "no PEM file, or certificate and key do not fit"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Fill a folder with an authority, two pairs of it, and files that are neither."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    for name in ("client", "other"):
        issued = authority.issue_cert(f"{name}.example.org")
        issued.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.pem")
        issued.private_key_pem.write_to_path(tmp_path / f"{name}.key")
        issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / f"{name}.both")
    key = serialization.load_pem_private_key((tmp_path / "client.key").read_bytes(), None)
    (tmp_path / "locked.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"open sesame"),
        )
    )
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("not PEM", encoding="utf-8")
    return tmp_path


def _checks(made: ssl.SSLContext) -> tuple[bool, ssl.VerifyMode]:
    return made.check_hostname, made.verify_mode


def test_a_certificate_and_its_name_are_checked() -> None:
    assert _checks(context(Tls())) == (True, ssl.CERT_REQUIRED)


def test_what_is_not_to_be_verified_is_not() -> None:
    assert _checks(context(Tls(verify=False))) == (False, ssl.CERT_NONE)


def test_an_authority_of_its_own_is_the_only_one_trusted(folder: Path) -> None:
    trusted = context(Tls(ca_file=folder / "ca.pem")).get_ca_certs(binary_form=True)
    assert trusted == [ssl.PEM_cert_to_DER_cert((folder / "ca.pem").read_text(encoding="ascii"))]


@pytest.mark.parametrize(
    ("cert", "key"), [("client.pem", "client.key"), ("client.both", None)], ids=["two", "one"]
)
def test_a_client_certificate_may_be_two_files_or_one(
    folder: Path, cert: str, key: str | None
) -> None:
    made = context(Tls(cert_file=folder / cert, key_file=folder / key if key else None))
    assert _checks(made) == (True, ssl.CERT_REQUIRED)


def test_equal_settings_are_built_once(folder: Path) -> None:
    first, same, written_anew = (
        context(Tls(ca_file=folder / "ca.pem", stamp=(stamp,))) for stamp in (1, 1, 2)
    )
    assert (first is same, first is written_anew) == (True, False)


BAD = {
    "no authority there": ({"ca_file": "nope"}, "ca_file", "nope", "No such file or directory"),
    "an empty authority": ({"ca_file": "empty"}, "ca_file", "empty", NO_PEM),
    "an authority of text": ({"ca_file": "text"}, "ca_file", "text", NO_PEM),
    "a key as authority": ({"ca_file": "client.key"}, "ca_file", "client.key", NO_PEM),
    "no certificate there": (
        {"cert_file": "nope"},
        "cert_file",
        "nope",
        "No such file or directory",
    ),
    "a certificate of text": ({"cert_file": "text"}, "cert_file", "text", NO_PEM),
    "no key in it": ({"cert_file": "client.pem"}, "cert_file", "client.pem", NO_PEM),
    "no key there": (
        {"cert_file": "client.pem", "key_file": "nope"},
        "cert_file",
        "client.pem",
        "No such file or directory",
    ),
    "the key of another": (
        {"cert_file": "client.pem", "key_file": "other.key"},
        "cert_file",
        "client.pem",
        NO_PEM,
    ),
    "a key behind a password": (
        {"cert_file": "client.pem", "key_file": "locked.key"},
        "cert_file",
        "client.pem",
        "the key is encrypted; give one without a password",
    ),
}


@pytest.mark.parametrize(("files", "key", "name", "why"), BAD.values(), ids=BAD)
def test_files_that_make_no_setting_are_told_with_the_key_to_look_at(
    folder: Path, files: dict[str, str], key: str, name: str, why: str
) -> None:
    with pytest.raises(BadTls) as refused:
        context(Tls(**{each: folder / file for each, file in files.items()}))  # type: ignore[arg-type]  # files only
    assert (refused.value.key, str(refused.value)) == (key, f"{folder / name}: {why}")
