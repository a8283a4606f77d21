"""Running a user's own code, such as the files that register layers, because the user named it."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

from kexport.current_folder import current_folder
from kexport.errors import ImportFailedError, UsageError, located

# A .keras file stores the name of the module of its layers, so that name contains no folder.
_PREFIX = "kexport_import_"
_listener: Callable[[str], object] = str


def hear_imports(listener: Callable[[str], object]) -> None:
    """Call the listener with the name of each file or module that `run_imports` is to run, and empty after it."""
    global _listener
    _listener = listener


def run_imports(names: Sequence[str]) -> None:
    """Import each file (`layers.py`) or module (`package.layers`), once per process.

    Raises:
        UsageError: there is no such file or module.
        ImportFailedError: its code fails.
    """
    for name in names:
        require(name)
        _listener(name)
        try:
            with in_this_folder():
                if name.endswith(".py"):
                    make_importable(Path(name).resolve().parent)
                    run_file(Path(name))
                else:
                    importlib.import_module(name)
        except KeyboardInterrupt:
            raise  # somebody may have pressed Ctrl-C
        except BaseException as error:
            raise import_failed(name, located(error)) from error
        finally:
            _listener("")


def import_failed(name: str, got: object) -> ImportFailedError:
    """The error for a file or module whose code fails, or ends its process."""
    return ImportFailedError(f"--import {name} failed", got=got, hint="run the file on its own to see the error")


@contextlib.contextmanager
def in_this_folder() -> Iterator[None]:
    """The user's code, run in the block, may change the current folder; it does not stay changed."""
    before = current_folder()
    try:
        yield
    finally:
        if before is not None and current_folder() != before:
            os.chdir(before)


def require(name: str) -> None:
    """Raise `UsageError` unless the file or module exists; none of its code runs."""
    try:
        if name.endswith(".py"):
            exists = Path(name).is_file()
        else:
            make_importable()
            exists = importlib.util.find_spec(name) is not None
    except (OSError, ImportError, ValueError):
        exists = False
    if not exists:
        raise UsageError(f"--import {name}: there is no such file or module", expected="layers.py or package.module")


def run_file(path: Path, *, again: bool = False) -> ModuleType:
    """Run a file as a module; a file that has run before runs again only when `again`."""
    name = f"{_PREFIX}{path.stem}"
    while name in sys.modules:
        if Path(sys.modules[name].__file__ or "").resolve() == path.resolve():
            if not again:
                return sys.modules[name]
            break
        name += "_"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def file_of_module(module: str) -> str:
    """The name of the file that `run_file` ran under the name of this module; empty for any other module."""
    return f"{module.removeprefix(_PREFIX).rstrip('_')}.py" if module.startswith(_PREFIX) else ""


def make_importable(folder: Path | None = None) -> None:
    """Append a folder, or the current one, to the import path: last, so that no file shadows an installed package."""
    path = current_folder() if folder is None else str(folder)
    if path is not None and path not in sys.path:
        sys.path.append(path)
