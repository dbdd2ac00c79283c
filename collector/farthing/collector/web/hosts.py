"""By which name a request asks for this machine."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

_PORT: Final = re.compile(r":\d+\Z")


def is_own_name(host: str) -> bool:
    """Whether a Host header names an address or localhost.

    A web page can make its own name point at loopback and then read answers; it cannot
    make its requests name an address or localhost.
    """
    name = host.lower().rpartition(":")[0] if _PORT.search(host) else host.lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
