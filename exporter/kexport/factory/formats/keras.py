"""The `.keras` file: configuration and weights, for Keras itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kexport.factory.formats._format import Format
from kexport.factory.trace import Program


def _write(program: Program, target: Path) -> dict[str, Any]:
    import keras

    keras.saving.save_model(program.model, target)
    return {"keras": keras.__version__}


FORMAT = Format(
    name="keras",
    path="model.keras",
    modules=(),
    summary="Keras' own file: configuration and weights",
    writer=_write,
)
