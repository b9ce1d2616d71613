"""TLS towards a project: which authority is trusted, and who we say we are."""

import ssl
from functools import lru_cache

from orchestrator.errors import OrchestratorError
from orchestrator.project import Tls


class BadTls(OrchestratorError):
    """The files do not make a TLS setting; `key` is the one to look at."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(why)
        self.key = key


@lru_cache(maxsize=256)
def context(tls: Tls) -> ssl.SSLContext:
    """Build the setting, once for equal ones: a context costs 10 ms and 1 MB. Raises BadTls."""
    try:
        made = ssl.create_default_context(cafile=tls.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise BadTls("ca_file", f"{tls.ca_file}: {_why(error)}") from error
    if tls.cert_file:
        try:
            made.load_cert_chain(tls.cert_file, tls.key_file, password=_no_password)
        except (OSError, ssl.SSLError, ValueError) as error:
            raise BadTls("cert_file", f"{tls.cert_file}: {_why(error)}") from error
    if not tls.verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def _no_password() -> str:
    raise ValueError("the key is encrypted; give one without a password")  # else OpenSSL asks


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "no PEM file, or certificate and key do not fit"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
