"""A `keras.Model` that the calling program holds."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from kexport.bundle.naming import carried
from kexport.factory.sources._source import Kind, Source, refuse_settings


def _claims(model: object) -> bool:
    keras = sys.modules.get("keras")  # no process holds a Keras model without Keras
    return keras is not None and isinstance(model, keras.Model)


def _find(model: Any, settings: Mapping[str, str]) -> Source:
    refuse_settings("a live model", settings)
    return Source(carried(model.name), lambda: model, live=True)


KIND = Kind(rank=10, claims=_claims, find=_find)
