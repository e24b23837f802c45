"""One table, several engines; the only layer that knows pandas and cuDF."""
