"""A SavedModel folder with a serving signature; TensorFlow's evaluation of that is the reference."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kexport.bundle.naming import carried
from kexport.errors import ModelError
from kexport.factory.sources._source import Source, SourceKind, refuse_settings


def _claims(model: object) -> bool:
    if isinstance(model, Path):
        return model.is_dir()
    return isinstance(model, str) and (Path(model) / "saved_model.pb").is_file()


def _find(model: str | Path, settings: Mapping[str, str]) -> Source:
    path = Path(model)
    refuse_settings("a SavedModel", settings)
    if not (path / "saved_model.pb").is_file():
        raise ModelError(
            f"{path} is not a SavedModel", got="a folder without saved_model.pb", expected="model.export(folder)"
        )
    name = carried(path.resolve().name)

    def load() -> object:
        from kexport.factory.trace import served

        return served.load(path, name)

    return Source(name, load, live=True, keeps_layers=False)


KIND = SourceKind(rank=15, claims=_claims, find=_find)
