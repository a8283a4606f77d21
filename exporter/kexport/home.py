"""Keeping the user's home folder as it is: Keras writes its settings there, and Matplotlib its fonts, when imported."""

from __future__ import annotations

import os

from kexport.late_modules import import_late

_NOWHERE = os.path.join(os.devnull, "keras")  # no folder can be made there


def leave_untouched() -> None:
    """Have no import of a library write into the home folder of this process, or of those that it starts."""
    settings = os.path.join(os.path.expanduser("~"), ".keras", "keras.json")
    if not os.path.isfile(settings):  # else Keras reads it, and writes nothing
        os.environ.setdefault("KERAS_HOME", _NOWHERE)
    import_late()
