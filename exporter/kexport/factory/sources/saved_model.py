"""A SavedModel folder, one of whose signatures is the model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kexport.bundle.digests import digest
from kexport.bundle.naming import carried
from kexport.errors import ModelError
from kexport.factory.sources._source import Source, SourceKind, refuse_settings

if TYPE_CHECKING:
    from kexport.field.trust import Trust


def _claims(model: object) -> bool:
    if isinstance(model, Path):
        return model.is_dir()
    return isinstance(model, str) and (Path(model) / "saved_model.pb").is_file()


def no_saved_model(path: Path) -> ModelError:
    """The error of a folder that is none, with a model that lies in it as the hint."""
    inside = sorted(each for each in path.glob("*") if each.suffix in (".keras", ".h5", ".hdf5") or _claims(str(each)))
    return ModelError(
        f"{path} is not a SavedModel",
        got="a folder without saved_model.pb",
        expected="model.export(folder)",
        hint=f"did you mean {inside[0]}?" if inside else None,
    )


def _find(model: str | Path, settings: Mapping[str, str]) -> Source:
    path = Path(model)
    refuse_settings("a SavedModel", settings)
    if not (path / "saved_model.pb").is_file():
        raise no_saved_model(path)
    return _source(path, carried(path.resolve().name), None)


def _source(path: Path, name: str, signature: str | None) -> Source:
    def load() -> object:
        from kexport.factory.trace import served

        return served.load(path, name, signature)

    def signed(chosen: str) -> Source:
        return _source(path, carried(f"{name}_{chosen}"), chosen)

    def rehearse(trust: Trust) -> None:
        from kexport.factory.sources._rehearsal import rehearse

        rehearse(path, signature, trust)

    return Source(name, load, live=True, content=lambda: digest(path), signed=signed, rehearse=rehearse)


KIND = SourceKind(rank=15, claims=_claims, find=_find)
