"""Stages over documents."""
