"""Whether a run that came to its end went well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from gpucurate.spec.books import Books
from gpucurate.spec.errors import (
    BooksError,
    ConfigurationError,
    InputError,
    QuarantinedError,
    TooManyRejectsError,
)
from gpucurate.spec.unit import UnitResult
from gpucurate.telemetry.report import RunReport

DEFAULT_MAX_REJECT_RATE = 0.01


def check_reject_rate(rate: float) -> None:
    """Refuse what is no share of documents.

    Raises:
        ConfigurationError: not from 0 to 1.
    """
    if not 0 <= rate <= 1:  # nor not a number
        raise ConfigurationError(f"max_reject_rate is {rate}: it is a share of the documents, from 0 to 1")


def judge(report: RunReport, max_reject_rate: float, ignore_failures: bool = False) -> None:
    """Check the books, the rejects and, unless failures are ignored, what was set aside.

    Raises:
        BooksError: documents are not accounted for.
        TooManyRejectsError: more than ``max_reject_rate`` of the documents were rejected.
        InputError: a file could not be read, or changed while it was.
        QuarantinedError: some units could not be done.
    """
    check_balance(report.books)
    check_rejects(report.books, max_reject_rate)
    if report.quarantined and not ignore_failures:
        raise_set_aside(report)


def raise_set_aside(report: RunReport) -> NoReturn:
    """End a run of which something was set aside.

    Raises:
        InputError: a file could not be read, or changed while it was.
        QuarantinedError: some units could not be done.
    """
    count = len(report.quarantined)
    first = report.quarantined[0]
    where = f"{count} unit{'s' if count > 1 else ''} of work could not be done"
    if all(entry["kind"] == "input" for entry in report.quarantined):
        raise InputError(f"{first['why']}" + (f" ({where})" if count > 1 else ""))
    reason = first["why"].splitlines()[-1]
    raise QuarantinedError(
        f"{where} after {first['attempts']} tries: {reason} "
        "(details under _gpucurate/quarantine/ in the output)"
    )


def check_balance(books: Books) -> None:
    """Check that every document is accounted for.

    Raises:
        BooksError: the books do not balance.
    """
    if books.balance:
        raise BooksError(
            f"the books do not balance: {books.read:,} read + {books.added.total():,} added, but "
            f"{books.kept:,} kept + {books.total_dropped:,} dropped + {books.total_rejected:,} rejected + "
            f"{books.quarantined:,} quarantined; this is a fault of gpucurate or of a stage, please report it"
        )


def check_units(results: Sequence[UnitResult]) -> None:
    """Check that each unit accounts for every document.

    Raises:
        BooksError: one does not.
    """
    for result in results:
        if result.books.balance:
            raise BooksError(
                f"the books of unit {result.unit_id} do not balance ({result.books.describe()}); "
                "this is a fault of gpucurate or of a stage, please report it"
            )


def check_rejected(result: UnitResult, rows: int) -> None:
    """Check that what a unit rejected is what was written of it.

    Raises:
        BooksError: it is not.
    """
    if rows != result.books.total_rejected:
        raise BooksError(
            f"unit {result.unit_id} rejected {result.books.total_rejected:,} documents and wrote {rows:,} "
            "of them to rejects/; this is a fault of gpucurate, please report it"
        )


def check_rejects(books: Books, max_reject_rate: float) -> None:
    """Check the share of rejected documents.

    Raises:
        TooManyRejectsError: it is above ``max_reject_rate``.
    """
    rejected = books.total_rejected
    if rejected > max_reject_rate * books.read:
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in books.rejected.most_common())
        raise TooManyRejectsError(
            f"{rejected:,} of {books.read:,} documents were rejected ({reasons}), more than the "
            f"{max_reject_rate:.2%} that --max-reject-rate allows; see rejects/ in the run folder"
        )
