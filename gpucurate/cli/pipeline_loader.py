"""Pipelines that users wrote, by the name of their file or module."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gpucurate.spec.errors import ConfigurationError, GpucurateError, UsageError

if TYPE_CHECKING:
    from gpucurate.pipeline.pipeline import Pipeline

FORM = "path/to/file.py:name or package.module:name"


def load_pipeline(text: str) -> Pipeline:
    """The pipeline of a name, or what a function of that name makes.

    The folder of the file, or for a module the current one, comes first in ``sys.path``, as it does for
    ``python file.py`` and ``python -m module``; workers find it there too.

    Args:
        text: ``path/to/file.py:name`` or ``package.module:name``.

    Raises:
        UsageError: not of that form.
        ConfigurationError: no such file, module or name, code that raises, or not a pipeline.
    """
    target, _, name = text.rpartition(":")
    if not target or not name.isidentifier():
        raise UsageError(f"{text!r} does not name a pipeline: write {FORM}")
    is_file = target.endswith(".py") or "/" in target
    module = _file(Path(target)) if is_file else _module(target)
    found = _named(module, target, name)
    return _pipeline(found, f"{target}:{name}")


def _file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ConfigurationError(f"there is no file {path}: give a pipeline as {FORM}")
    whole = path.resolve()
    there = sys.modules.get(whole.stem)
    if there is not None and getattr(there, "__file__", None) == str(whole):
        return there
    if there is not None or whole.stem in sys.stdlib_module_names:
        raise ConfigurationError(
            f"{path} has the name of another module, {whole.stem}, which workers would find: rename the file"
        )
    _put_first(whole.parent)
    spec = importlib.util.spec_from_file_location(whole.stem, whole)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{path} is not a file of Python: its name has to end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[whole.stem] = module
    try:
        _run(lambda: spec.loader.exec_module(module), str(path))  # type: ignore[union-attr]
    except BaseException:
        del sys.modules[whole.stem]
        raise
    return module


def _module(name: str) -> ModuleType:
    _put_first(Path.cwd())
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise ConfigurationError(f"there is no module {name} here: give a pipeline as {FORM}")
    module: ModuleType = _run(lambda: importlib.import_module(name), name)
    return module


def _put_first(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _named(module: ModuleType, target: str, name: str) -> Any:
    if hasattr(module, name):
        return getattr(module, name)
    from gpucurate.pipeline.pipeline import Pipeline

    there = sorted(key for key, value in vars(module).items() if isinstance(value, Pipeline))
    makers = sorted(key for key, value in vars(module).items() if _may_make_one(value, module))
    known = [f"its pipelines are {', '.join(there)}"] if there else []
    known += [f"its functions without arguments are {', '.join(makers)}"] if makers else []
    raise ConfigurationError(f"{target} has no {name}: {'; '.join(known) or 'it has no pipeline'}")


def _may_make_one(value: object, module: ModuleType) -> bool:
    return (
        inspect.isfunction(value)
        and value.__module__ == module.__name__
        and not inspect.signature(value).parameters
    )


def _pipeline(found: Any, text: str) -> Pipeline:
    from gpucurate.pipeline.pipeline import Pipeline

    made = found if isinstance(found, Pipeline) or not callable(found) else _run(found, text)
    if not isinstance(made, Pipeline):
        what = "it is" if made is found else "what the function gave is"
        raise ConfigurationError(
            f"{text} is not a pipeline: {what} of type {type(made).__name__}, expected a Pipeline, or "
            "a function without arguments that makes one"
        )
    return made


def _run(code: Callable[[], Any], text: str) -> Any:
    """Call what a user wrote; whatever it raises becomes a sentence."""
    try:
        return code()
    except GpucurateError:
        raise
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename not in (__file__, "<frozen importlib._bootstrap>")]
        at = f" at line {own[-1].lineno} of {own[-1].filename}" if own else ""
        raise ConfigurationError(f"{text} raised {type(error).__name__}{at}: {error}") from error
