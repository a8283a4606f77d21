"""Parts of Keras that are imported when they are used first.

`import keras` imports scikit-learn, and with it a third of SciPy, for wrappers, and Matplotlib for its pictures, where
they are installed. That is a third of the time, and no model needs them.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_NAMES = frozenset(
    f"{package}.{part}"
    for package in ("keras", "keras._tf_keras.keras", "keras.src")
    for part in ("wrappers", "visualization")
)


def import_late() -> None:
    """Leave out the code of these modules when Keras is imported; the first look at what they define runs it."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


@contextlib.contextmanager
def importing_late() -> Iterator[None]:
    """The same within the block, in a process that is not ours."""
    sys.meta_path.insert(0, finder := _Finder())
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules that can wait."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname in _NAMES else None
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(importlib.abc.Loader):
    """Runs the code of a module when something is asked of it. Its file and path are known before.

    `importlib.util.LazyLoader` would run it as soon as anybody goes through all modules, as `inspect.getmodule` does.
    """

    def __init__(self, real: importlib.abc.Loader) -> None:
        self._real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        real = self._real
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = real

        def load(name: str) -> object:
            if name.startswith("__") and name != "__all__":
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            del module.__dict__["__getattr__"], module.__dict__["__dir__"]
            real.exec_module(module)
            return getattr(module, name)

        def names() -> list[str]:
            with contextlib.suppress(AttributeError):
                load("__all__")
            return dir(module)

        module.__dict__.update(__getattr__=load, __dir__=names)
