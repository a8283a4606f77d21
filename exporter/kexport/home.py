"""Keeping the user's home folder as it is: Keras writes its settings there when imported, and Matplotlib its fonts."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec

_NOWHERE = os.path.join(os.devnull, "keras")  # no folder can be made there


def leave_untouched() -> None:
    """Have no import of a library write into the home folder of this process, or of those that it starts."""
    settings = os.path.join(os.path.expanduser("~"), ".keras", "keras.json")
    if not os.path.isfile(settings):  # else Keras reads it, and writes nothing
        os.environ.setdefault("KERAS_HOME", _NOWHERE)
    if not any(isinstance(finder, _NoPlotsForKeras) for finder in sys.meta_path):
        sys.meta_path.insert(0, _NoPlotsForKeras())


class _NoPlotsForKeras:
    """Hides Matplotlib while Keras is imported, which takes it where it is installed and plots nothing here."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:
        keras = sys.modules.get("keras")
        if name == "matplotlib" and getattr(getattr(keras, "__spec__", None), "_initializing", False):
            raise ModuleNotFoundError("No module named 'matplotlib'", name=name)
        return None
