"""A `keras.Model` that the calling program holds."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from kexport.bundle.naming import carried
from kexport.factory.sources._source import Source, SourceKind, refuse_settings
from kexport.runtimes.keras_model import KerasModel


def _claims(model: object) -> bool:
    keras = sys.modules.get("keras")  # no process holds a Keras model without Keras
    return keras is not None and isinstance(model, keras.Model)


def _find(model: KerasModel, settings: Mapping[str, str]) -> Source:
    refuse_settings("a live model", settings)
    return Source(carried(model.name), lambda: model, live=True)


KIND = SourceKind(rank=10, claims=_claims, find=_find)
