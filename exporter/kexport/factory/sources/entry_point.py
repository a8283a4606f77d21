"""A model that an installed package offers by name, in the entry-point group `kexport.models`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from kexport import registry
from kexport.errors import ModelError, UsageError, nearest
from kexport.factory.sources._settings import typed_settings
from kexport.factory.sources._source import KINDS, Source, SourceKind
from kexport.factory.sources.saved_model import no_saved_model

GROUP = "kexport.models"


def _find(model: str, settings: Mapping[str, str]) -> Source:
    offers = registry.offers(GROUP)
    if model not in offers and Path(model).is_dir():
        raise no_saved_model(Path(model))
    if model not in offers:
        raise UsageError(
            f"unknown model {model!r}",
            expected="one of " + ", ".join(offers) + f"; or {KINDS}",
            hint=nearest(model, offers),
        )
    offer = offers[model]
    module = offer.inspected()
    function = getattr(module, offer.attribute)
    assert callable(function), f"{model} is not a function"
    arguments = typed_settings(function, settings, f"model {model!r}")

    def load() -> object:
        make = offer.load(object)
        assert callable(make)
        try:
            return make(**arguments)
        except ValueError as error:
            raise ModelError(f"model {model!r} refuses its settings", got=error) from error

    home = sys.modules.get(function.__module__, module)  # a decorator from elsewhere keeps the function's module
    own = offer.module.partition(".")[0] == "kexport_layers"  # whose code a build counts as its own
    return Source(model, load, getattr(home, "DOMAINS", {}), content=(lambda: model) if own else None)


KIND = SourceKind(rank=90, claims=lambda model: isinstance(model, str), find=_find)
