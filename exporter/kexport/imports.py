"""Running the code that registers a user's own layers, because the user named it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from kexport.errors import UsageError


def run_imports(names: Sequence[str]) -> None:
    """Import each file (`layers.py`) or module (`package.layers`), once.

    Raises:
        UsageError: there is no such file or module, or its code fails.
    """
    if names and (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)  # last: a file here must not shadow an installed package
    for name in names:
        require(name)
        try:
            if name.endswith(".py"):
                _run_file(Path(name))
            else:
                importlib.import_module(name)
        except Exception as error:
            raise UsageError(
                f"--import {name} failed", got=f"{type(error).__name__}: {error}", hint="run the file by itself to see"
            ) from error


def require(name: str) -> None:
    """Raise `UsageError` unless the file or module exists; nothing is run to find out."""
    try:
        found = Path(name).is_file() if name.endswith(".py") else importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        found = False
    if not found:
        raise UsageError(f"--import {name}: there is no such file or module", expected="layers.py or package.module")


def _run_file(path: Path) -> None:
    name = f"kexport_import_{path.stem}"  # goes into the .keras file as the module of its layers: no folder in it
    while name in sys.modules:
        if Path(sys.modules[name].__file__ or "").resolve() == path.resolve():
            return
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
