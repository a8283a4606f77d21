"""All inputs of a bundle's model, as searches and contracts look at them."""

from __future__ import annotations

from kexport.bundle.folder import Bundle
from kexport.parity.space import Space


def space_of(bundle: Bundle) -> Space:
    """Its domains, and the shapes of its goldens, whose digest has been checked."""
    shapes = [{name: value.shape for name, value in golden.inputs.items()} for golden in bundle.goldens(checked=True)]
    return Space(bundle.signature, bundle.domains(), shapes)
