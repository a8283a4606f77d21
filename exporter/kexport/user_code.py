"""Running the code that registers a user's own layers, because the user named it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from kexport.errors import UsageError, located


def run_imports(names: Sequence[str]) -> None:
    """Import each file (`layers.py`) or module (`package.layers`), once.

    Raises:
        UsageError: there is no such file or module, or its code fails.
    """
    if names:
        here_too()
    for name in names:
        require(name)
        try:
            if name.endswith(".py"):
                run_file(Path(name))
            else:
                importlib.import_module(name)
        except Exception as error:
            raise UsageError(
                f"--import {name} failed", got=located(error), hint="run the file by itself to see"
            ) from error


def require(name: str) -> None:
    """Raise `UsageError` unless the file or module exists; nothing is run to find out."""
    try:
        found = Path(name).is_file() if name.endswith(".py") else importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        found = False
    if not found:
        raise UsageError(f"--import {name}: there is no such file or module", expected="layers.py or package.module")


def run_file(path: Path, *, again: bool = False) -> ModuleType:
    """Run a file as a module of its own, once, or again when asked to."""
    name = f"kexport_import_{path.stem}"  # goes into the .keras file as the module of its layers: no folder in it
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


def here_too() -> None:
    """Make the current folder importable, last: a file here must not shadow an installed package."""
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
