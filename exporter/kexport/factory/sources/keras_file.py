"""A `.keras` file, or a whole model in an `.h5` file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from kexport.bundle.digests import digest
from kexport.bundle.naming import carried
from kexport.errors import MissingCodeError, ModelError
from kexport.factory.sources import _keras2
from kexport.factory.sources._near_file import near_file
from kexport.factory.sources._source import Source, SourceKind, refuse_settings
from kexport.runtimes.keras_model import SUFFIXES, load_file, names_foreign_code, read_config, written_by_keras_2


def _claims(model: object) -> bool:
    return isinstance(model, Path) or (isinstance(model, str) and model.endswith((".keras", *SUFFIXES)))


def _find(model: str | Path, settings: Mapping[str, str]) -> Source:
    path = Path(model)
    refuse_settings("a file of Keras", settings)
    if not path.is_file():
        raise ModelError(f"there is no file {path}", expected="a .keras or .h5 file", hint=near_file(path))
    with _refused():
        config = read_config(path)  # a damaged file is refused in milliseconds, before TensorFlow is imported

    def load() -> object:
        with _refused():
            try:
                return load_file(path)
            except (ModelError, MissingCodeError) as error:
                if not written_by_keras_2(path):
                    raise
                return _keras2.from_file(path, config, error)

    # What foreign code makes of the file only running it tells.
    return Source(carried(path.stem), load, content=None if names_foreign_code(config) else lambda: digest(path))


@contextlib.contextmanager
def _refused() -> Iterator[None]:
    """Within the block, code that the file needs and that was not given is a wrong request, not a missing check.

    What the code of a layer raises is explained.
    """
    try:
        yield
    except MissingCodeError as error:
        hint = error.facts["hint"]
        raise ModelError(
            error.subject,
            got=error.facts["got"],
            expected=error.facts["expected"],
            hint=None if hint is None else str(hint),
        ) from error
    except ModelError as error:
        if error.__cause__ is None:
            raise
        from kexport.factory.trace import explained

        hint = error.facts["hint"]
        got, hint = explained(error.__cause__).facts(str(error.facts["got"]), None if hint is None else str(hint))
        raise ModelError(error.subject, got=got, expected=error.facts["expected"], hint=hint) from error.__cause__


KIND = SourceKind(rank=20, claims=_claims, find=_find)
