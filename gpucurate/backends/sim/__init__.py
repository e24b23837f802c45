"""A cluster that is not there: a virtual clock that drives the scheduler of a run, faults included."""
