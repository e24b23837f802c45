"""Parquet files, by row groups."""
