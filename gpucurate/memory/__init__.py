"""Budgets of memory, and what there is of it."""
