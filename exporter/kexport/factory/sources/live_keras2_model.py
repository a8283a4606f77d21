"""A model of Keras 2, `tf_keras.Model`, that the calling program holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kexport.bundle.naming import carried
from kexport.factory.sources._keras2 import from_model, is_model
from kexport.factory.sources._source import Source, SourceKind, refuse_settings


def _find(model: Any, settings: Mapping[str, str]) -> Source:
    refuse_settings("a live model", settings)
    return Source(carried(model.name), lambda: from_model(model), live=True)


KIND = SourceKind(rank=11, claims=is_model, find=_find)
