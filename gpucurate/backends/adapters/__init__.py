"""Ways to run the same worker on clusters of others: Dask, Ray Data, and NeMo Curator's names."""
