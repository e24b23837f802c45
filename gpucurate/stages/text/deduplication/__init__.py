"""Removal of duplicates under NeMo Curator's import path."""
