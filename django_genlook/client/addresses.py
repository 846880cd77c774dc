"""Which addresses of pictures are the public internet."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from django_genlook.exceptions import Rejected

URL_LIMIT = 2048

_UNWANTED = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z", re.ASCII)
_LOCAL = ("localhost", "localdomain", "local", "internal", "intranet", "lan", "home", "corp", "arpa")
# Where one kind of address is written inside another, the inner one is what is reached.
_REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in ("192.88.99.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


def check_public_url(url: str) -> None:
    """Accept the address of a picture that may be fetched from the public internet, by its looks alone.

    It is https, has no user name, at most 2,048 characters, and a host that is neither this machine, a name of a local
    network nor an address that is not public. What the name resolves to is seen only when it is fetched. Raises
    ``Rejected`` with the code ``image_url_refused``.
    """
    if len(url) > URL_LIMIT:
        raise refused("longer than 2,048 characters")
    parts = split(url)
    if parts.scheme != "https":
        raise refused("not https")
    check_host(parts)


def split(url: str) -> SplitResult:
    """Return the parts of an address that every parser reads alike; refuse any other."""
    if _UNWANTED.search(url):
        raise refused("white space, control characters or a backslash")
    try:
        parts = urlsplit(url)
        usable = parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise refused("no host, or not a valid one")
    if "@" in parts.netloc:
        raise refused("a user name in it")
    return parts


def check_host(parts: SplitResult) -> None:
    """Refuse a host that is a private address or the name of something nearby."""
    host = ascii_host(parts)
    try:
        public = is_public(host)
    except ValueError:
        # Whatever ends in a number is an address to some resolver: 127.1, 0x7f000001.
        public = bool(_NAME.match(host)) and len(host) <= 253 and host.rpartition(".")[2] not in _LOCAL
    if not public:
        raise refused("a host that is not public")


def ascii_host(parts: SplitResult) -> str:
    """Return the host as it is looked up: in ASCII, lower case, without the dot at the end."""
    host = parts.hostname or ""
    try:
        # Also folds the look-alikes: full-width digits, ideographic full stops.
        host = host.encode("idna").decode("ascii") if not host.isascii() else host
    except ValueError:
        raise refused("no host, or not a valid one") from None
    return host.lower().removesuffix(".")


def is_public(address: str) -> bool:
    """Return whether an address, in figures, belongs to the public internet; raise ``ValueError`` if it is none."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _GLOBAL_UNICAST:
        return False  # among them those with an IPv4 address inside: ::ffff:0:0/96, 64:ff9b::/96
    inside = any(ip.version == network.version and ip in network for network in _REFUSED)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not inside


def refused(why: str) -> Rejected:
    """Return the exception for an address that is not fetched."""
    return Rejected(f"The address of a picture is refused: {why}.", code="image_url_refused")
