"""`package.module:callable`: a function in an importable module, which may lie in the current folder."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from kexport.errors import UsageError, located
from kexport.factory.sources._model_function import function_source
from kexport.factory.sources._source import Source, SourceKind
from kexport.user_code import make_importable


def _claims(model: object) -> bool:
    return isinstance(model, str) and re.fullmatch(r"[A-Za-z_][\w.]*:[\w.]*", model) is not None


def _find(model: str, settings: Mapping[str, str]) -> Source:
    name, _, attribute = model.partition(":")
    make_importable()
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        spec = None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # finding a module imports the packages that contain it
        raise UsageError(f"{name} cannot be imported", got=located(error)) from error
    if spec is None:
        raise UsageError(
            f"there is no module {name!r}",
            expected="package.module:callable, installed or in the current folder",
            hint="for a file: file.py:callable",
        )
    if not attribute:
        raise UsageError(f"{model} names a module, but no function in it", expected=f"{name}:FUNCTION")
    code = Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None

    def run() -> ModuleType:
        return importlib.import_module(name)

    return function_source(name, attribute, settings, code, run)


KIND = SourceKind(rank=30, claims=_claims, find=_find)
