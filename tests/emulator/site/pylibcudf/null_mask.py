"""Masks of bits."""


def bitmask_allocation_size_bytes(number_of_bits: int) -> int:
    """Bytes of a mask: a multiple of 64."""
    return -(-number_of_bits // 512) * 64
