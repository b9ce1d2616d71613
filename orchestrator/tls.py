"""TLS towards a project: which authority is trusted, and who we say we are."""

import ssl
from functools import lru_cache
from pathlib import Path

from orchestrator.errors import OrchestratorError
from orchestrator.project import Tls


class BadTls(OrchestratorError):
    """The files do not make a TLS setting; `key` is the one to look at."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(why)
        self.key = key


def context(tls: Tls) -> ssl.SSLContext:
    """Return the setting, one for equal files: it costs 10 ms and 1 MB. Raises BadTls."""
    return _context(tls.ca_file, tls.cert_file, tls.key_file, tls.verify, tls.stamp)


@lru_cache(maxsize=10_000)
def _context(
    ca_file: Path | None,
    cert_file: Path | None,
    key_file: Path | None,
    verify: bool,  # noqa: FBT001  a key of the cache
    _: tuple[int, ...],
) -> ssl.SSLContext:
    try:
        made = ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise BadTls("ca_file", f"{ca_file}: {_why(error)}") from error
    if cert_file:
        try:
            made.load_cert_chain(cert_file, key_file, password=_no_password)
        except (OSError, ValueError) as error:
            raise BadTls("cert_file", f"{cert_file}: {_why(error)}") from error
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def _no_password() -> str:
    raise ValueError("the key is encrypted; give one without a password")  # else OpenSSL asks


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "no PEM file, or certificate and key do not fit"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
