"""Addresses that no URL may lead to: where a cloud tells each machine its credentials."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from gpucurate.spec.errors import ConfigurationError

REFUSED: tuple[tuple[IPv4Network | IPv6Network, str], ...] = (
    (ip_network("169.254.0.0/16"), "link-local, where clouds serve metadata and credentials"),
    (ip_network("fe80::/10"), "link-local"),
    (ip_network("fd00:ec2::/32"), "the metadata service of Amazon's cloud"),
    (ip_network("100.100.100.200/32"), "the metadata service of Alibaba's cloud"),
    (ip_network("192.0.0.192/32"), "the metadata service of Oracle's cloud"),
    (ip_network("168.63.129.16/32"), "the platform service of Microsoft's cloud"),
)
REFUSED_NAMES = frozenset({"metadata.google.internal", "metadata.goog", "metadata", "instance-data"})

_TRANSLATED = ip_network("64:ff9b::/96")
"""IPv4 addresses as NAT64 writes them."""


def check_host(host: str) -> None:
    """Refuse the names of metadata services.

    Raises:
        ConfigurationError: it is one.
    """
    if host.lower().rstrip(".") in REFUSED_NAMES:
        raise ConfigurationError(f"{host} is the metadata service of a cloud, which is never read")


def check_address(text: str) -> None:
    """Refuse an address, however it is written.

    Args:
        text: IPv4 or IPv6, with or without a zone.

    Raises:
        ConfigurationError: it is refused.
    """
    address = _plain(ip_address(text.partition("%")[0]))
    for network, what in REFUSED:
        if address in network:
            raise ConfigurationError(f"{text} is {what}: it is never read")


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one may stand for."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
