"""Which kind of failure an exception is."""

import pytest

from gpucurate.backends.runner import failure_of
from gpucurate.spec.errors import ConfigurationError, InputError, OverBudgetError, StorageError


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "memory"),
        (OverBudgetError("no room"), "memory"),
        (RuntimeError("the model has no weights"), "user"),
        (StorageError("disk full"), "storage"),
        (InputError("gone"), "input"),
        (ConfigurationError("no such column"), "configuration"),
    ],
)
def test_the_kind_of_a_failure(error, kind):
    assert failure_of(error)[0] == kind
