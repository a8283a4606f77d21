"""A `.keras` file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kexport.bundle.naming import carried
from kexport.errors import ModelError
from kexport.factory.sources._source import Source, SourceKind, refuse_settings
from kexport.runtimes.keras_model import load_file, read_config


def _claims(model: object) -> bool:
    return isinstance(model, Path) or (isinstance(model, str) and model.endswith(".keras"))


def _find(model: str | Path, settings: Mapping[str, str]) -> Source:
    path = Path(model)
    refuse_settings("a .keras file", settings)
    if not path.is_file():
        raise ModelError(f"there is no file {path}", expected="a .keras file", hint="check the path")
    read_config(path)  # a damaged file is refused in milliseconds, before TensorFlow is imported
    return Source(carried(path.stem), lambda: load_file(path))


KIND = SourceKind(rank=20, claims=_claims, find=_find)
