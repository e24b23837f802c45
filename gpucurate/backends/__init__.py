"""Thin shells that carry the scheduler's actions out, and the worker they all run."""
