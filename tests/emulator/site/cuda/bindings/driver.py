"""``cuda.bindings.driver``: the one type that is used."""

cuuint64_t = int
