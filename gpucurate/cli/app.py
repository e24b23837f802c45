"""Entry point: commands, errors, exit codes."""

from __future__ import annotations

import atexit
import errno
import gc
import os
import sys
import traceback
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from gpucurate import __version__
from gpucurate.backends.early import start_early_for
from gpucurate.cli.compare import compare
from gpucurate.cli.dedup import dedup
from gpucurate.cli.doctor import doctor
from gpucurate.cli.index import index
from gpucurate.cli.plan import plan
from gpucurate.cli.status import status
from gpucurate.cli.verify import verify
from gpucurate.spec.errors import GpucurateError, InterruptedRunError
from gpucurate.spec.redaction import shown

app = typer.Typer(
    name="gpucurate",
    help="Curate text corpora for LLM training.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(dedup, name="dedup")
app.command()(compare)
app.add_typer(index, name="index")
app.command()(doctor)
app.command()(plan)
app.command()(status)
app.command()(verify)

_ALLOCATIONS = 100_000
"""Between collections of garbage: what is imported stays, and looking at it takes a tenth of the start."""

_INTERRUPTED = 130  # what typer ends with after a KeyboardInterrupt
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gpucurate {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not where it was closed
            stream.reconfigure(errors="backslashreplace")  # a locale that cannot show a text is no error
    gc.set_threshold(_ALLOCATIONS)
    start_early_for(sys.argv[1:])  # before what takes long to import
    _end(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command; errors are printed as sentences, with ``--debug`` as tracebacks.

    Returns:
        The exit code: 0 done, 1 internal, 2 usage, 3 configuration, 4 output in use or not
        empty, 5 input, 6 storage, 7 too many rejects, 8 finished with quarantined units,
        70 books do not balance, 130 and 143 signals, 141 nobody reads the output.
    """
    debug = "--debug" in arguments
    try:
        app(arguments, prog_name="gpucurate")
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            _print_no_more()
            return 141
        if end.code == _INTERRUPTED:  # between phases, where nothing drains
            _complain("interrupted: the same command goes on from what was finished")
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except GpucurateError as error:
        _complain(_trace(error) if debug else str(error))
        return 128 + error.signum if isinstance(error, InterruptedRunError) else error.exit_code
    except Exception as error:
        if debug:
            _complain(_trace(error))
        if isinstance(error, OSError) and error.errno in _FULL:
            _complain(f"cannot write {error.filename or 'what is printed'}: {error.strerror}")
            if error.filename is None:
                _print_no_more()  # what is still to be flushed would be complained of again
            return 6
        if not debug:
            _complain(
                f"internal error: {type(error).__name__}: {error} (run again with --debug for a traceback)"
            )
        return 1
    return 0


def _print_no_more() -> None:
    """Nothing more can be flushed to where it is printed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _end(code: int) -> NoReturn:
    """End the process without taking apart what it has loaded, which takes 0.3 s and changes nothing."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except BrokenPipeError:
            os._exit(code or 141)
        except OSError as error:
            _complain(f"cannot write what is printed: {error.strerror}")
            os._exit(code or 6)
    os._exit(code)


def _trace(error: Exception) -> str:
    return "".join(traceback.format_exception(error)).rstrip()


def _complain(message: str) -> None:
    with suppress(OSError):  # where nobody can read it, the exit code says the rest
        print(f"gpucurate: {shown(message)}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
