"""The version of every definition that decides a result."""

ALGORITHMS_VERSION = 1
"""Goes up when a constant, table or definition of docs/algorithms.md changes a result.

Plans carry it: hashes of different versions must not be compared.
"""
