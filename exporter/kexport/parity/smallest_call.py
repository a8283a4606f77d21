"""How much the inputs of one call take at least: a file may describe a model that no machine can call."""

from __future__ import annotations

import math

from kexport.bundle.archives import EXPANSION
from kexport.bundle.signature import Signature
from kexport.errors import ModelError


def require_affordable(signature: Signature, max_bytes: int = 0) -> None:
    """Raise `ModelError` where the smallest inputs take more memory than weights may that are in no file.

    Args:
        signature: of the model.
        max_bytes: what the limit is raised to.
    """
    most = max(EXPANSION, max_bytes)
    for spec in signature.inputs:
        taken = math.prod(size or 1 for size in spec.shape) * max(1, spec.numpy_dtype.itemsize)
        if taken > most:
            raise ModelError(
                f"input {spec.name!r} takes more memory than a model may",
                got=f"{taken} bytes for the smallest one, {spec.shape_text()} of {spec.dtype}",
                expected=f"at most {most} bytes",
                hint="leave the first axis open; or, if you trust the model, allow more with --max-bytes",
            )
