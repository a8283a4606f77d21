"""Tracing a model so that an error names the layer that causes it, not the one behind it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from kexport.bundle.signature import Array
from kexport.errors import ExportError
from kexport.factory.diagnosis import remarks
from kexport.factory.localisation.layer_calls import observing
from kexport.factory.trace.program import Program, trace
from kexport.factory.trace.protocols import BuiltModel
from kexport.factory.trace.served import Served


def traced(model: BuiltModel | Served, samples: Mapping[str, Array]) -> Program:
    """Trace a model; where that fails behind a layer that declares a wrong shape, the error names that layer.

    Raises:
        ModelError, ExportError: as `trace` does.
    """
    try:
        return trace(model, samples)
    except ExportError as error:
        with observing() as runs, contextlib.suppress(Exception):
            trace(model, samples)
        wrong = remarks.wrong_shape(runs[-1]) if runs else ""
        if not wrong:
            raise
        facts = f"{wrong}\n            {error.facts['got']}"
        raise ExportError(error.subject, got=facts, hint=remarks.DECLARED) from error
