"""Addresses that no URL may lead to: where a cloud tells each machine its credentials."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from gpucurate.spec.errors import ConfigurationError

REFUSED: tuple[tuple[IPv4Network | IPv6Network, str], ...] = (
    (ip_network("169.254.0.0/16"), "link-local, where clouds serve metadata and credentials"),
    (ip_network("fe80::/10"), "link-local"),
    (ip_network("fd00:ec2::/32"), "the metadata service of Amazon's cloud"),
    (ip_network("fd20:ce::254/128"), "the metadata service of Google's cloud"),
    (ip_network("fd00:c1::a9fe:a9fe/128"), "the metadata service of Oracle's cloud"),
    (ip_network("fd00:42::42/128"), "the metadata service of Scaleway's cloud"),
    (ip_network("100.100.100.200/32"), "the metadata service of Alibaba's cloud"),
    (ip_network("192.0.0.192/32"), "the metadata service of Oracle's cloud"),
    (ip_network("168.63.129.16/32"), "the platform service of Microsoft's cloud"),
)
REFUSED_NAMES = frozenset({"metadata.google.internal", "metadata.goog", "metadata", "instance-data"})

_TRANSLATED = ip_network("64:ff9b::/96")
"""IPv4 addresses as NAT64 writes them (RFC 6052)."""

_TRANSLATED_HERE = ip_network("64:ff9b:1::/48")
"""As a network of one's own writes them (RFC 8215), which chooses the length of the prefix."""


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
    for address in _meant(ip_address(text.partition("%")[0])):
        for network, what in REFUSED:
            if address in network:
                raise ConfigurationError(f"{text} is {what}: it is never read")


def _meant(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """The address, or the IPv4 addresses that an IPv6 one may stand for."""
    if isinstance(address, IPv4Address):
        return [address]
    if address in _TRANSLATED:
        return [_last_bits(int(address))]
    if address in _TRANSLATED_HERE:
        return [_last_bits(int(address)), *(_after_prefix(int(address), bits) for bits in (48, 56, 64))]
    return [address.ipv4_mapped or address.sixtofour or address]


def _last_bits(address: int) -> IPv4Address:
    return IPv4Address(address & 0xFFFFFFFF)


def _after_prefix(address: int, bits: int) -> IPv4Address:
    """The 32 bits after a prefix, but for those from 64 to 71, which RFC 6052 leaves out."""
    without = (address >> 64) << 56 | address & (1 << 56) - 1
    return _last_bits(without >> 120 - bits - 32)
