"""Keras on TensorFlow, whatever backend the user's settings name: Keras chooses once, when it is first imported."""

from __future__ import annotations

import os
from typing import Any

from kexport.errors import ModelError
from kexport.late_modules import importing_late

_BACKEND = "KERAS_BACKEND"


def import_keras() -> Any:
    """Import Keras on TensorFlow; the variable that chooses the backend is left as it was.

    Raises:
        ModelError: this process has Keras on another backend already.
    """
    chosen = os.environ.get(_BACKEND)
    os.environ[_BACKEND] = "tensorflow"
    try:
        with importing_late():
            import keras
    finally:
        if chosen is None:
            del os.environ[_BACKEND]
        else:
            os.environ[_BACKEND] = chosen
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ModelError(
            "Keras does not run on TensorFlow in this process",
            got=backend,
            expected="tensorflow",
            hint="use a process with KERAS_BACKEND=tensorflow; a model goes there as a file: model.save('NAME.keras')",
        )
    return keras
