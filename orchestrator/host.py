"""A host: a name or an address, and whether it can only mean this machine."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Tell whether *host*, a name or an address, can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
