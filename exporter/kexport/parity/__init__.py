"""Whether an artifact computes what the model computes: goldens, limits of outputs, and the comparison.

The names below are imported when they are first used: a command that compares nothing does not pay for NumPy.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kexport.parity.budget import Budget, Clock
    from kexport.parity.outcome import Outcome
    from kexport.parity.output_comparison import OutputComparison
    from kexport.parity.outputs import OutputsComparison
    from kexport.parity.sampler import Sampler, Trial
    from kexport.parity.space import Space, space_of
    from kexport.parity.strictness import Strictness
    from kexport.parity.tolerance import Tolerance, for_kernels

_HOMES = {
    "Budget": "budget",
    "Clock": "budget",
    "Outcome": "outcome",
    "OutputComparison": "output_comparison",
    "OutputsComparison": "outputs",
    "Sampler": "sampler",
    "Space": "space",
    "Strictness": "strictness",
    "Tolerance": "tolerance",
    "Trial": "sampler",
    "for_kernels": "tolerance",
    "space_of": "space",
}

__all__ = [
    "Budget",
    "Clock",
    "Outcome",
    "OutputComparison",
    "OutputsComparison",
    "Sampler",
    "Space",
    "Strictness",
    "Tolerance",
    "Trial",
    "for_kernels",
    "space_of",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value: object = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
