"""Stages that deduplication is put together from."""
