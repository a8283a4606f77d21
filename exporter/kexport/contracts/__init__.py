"""Contracts: statements about what a model computes. One file a kind, NumPy only.

`from kexport.contracts import Bounded` imports that kind and nothing else. A kind of your own is a frozen dataclass
with `kind`, `check` and `words` that `register` makes known.
"""

from typing import TYPE_CHECKING

from kexport import registry

if TYPE_CHECKING:
    from kexport.contracts.bounded import Bounded
    from kexport.contracts.causal import Causal
    from kexport.contracts.conserves import Conserves
    from kexport.contracts.convex import Convex
    from kexport.contracts.even import Even
    from kexport.contracts.falsification.hunt import Measured, hunt
    from kexport.contracts.finite import Finite
    from kexport.contracts.kinds import About, register
    from kexport.contracts.linear import Linear
    from kexport.contracts.linear_time_invariant import LinearTimeInvariant
    from kexport.contracts.lipschitz import Lipschitz
    from kexport.contracts.low_pass import LowPass
    from kexport.contracts.monotonic import Monotonic
    from kexport.contracts.odd import Odd
    from kexport.contracts.permutation_invariant import PermutationInvariant
    from kexport.contracts.protocol import (
        EFFORT,
        Contract,
        Effort,
        Experiment,
        Function,
        Slack,
        Verdict,
        WeightContract,
    )
    from kexport.contracts.rate_limited import RateLimited
    from kexport.contracts.satisfies import Satisfies
    from kexport.contracts.scaled import Scaled
    from kexport.contracts.sparse import Sparse
    from kexport.contracts.sums_to import SumsTo
    from kexport.contracts.weight_norm import WeightNorm

__all__ = [
    "EFFORT",
    "About",
    "Bounded",
    "Causal",
    "Conserves",
    "Contract",
    "Convex",
    "Effort",
    "Even",
    "Experiment",
    "Finite",
    "Function",
    "Linear",
    "LinearTimeInvariant",
    "Lipschitz",
    "LowPass",
    "Measured",
    "Monotonic",
    "Odd",
    "PermutationInvariant",
    "RateLimited",
    "Satisfies",
    "Scaled",
    "Slack",
    "Sparse",
    "SumsTo",
    "Verdict",
    "WeightContract",
    "WeightNorm",
    "hunt",
    "register",
]

# Where each name lives that no kind's file holds; a kind is found by its file's name.
_HOMES = {
    "About": "kinds",
    "Measured": "falsification.hunt",
    "hunt": "falsification.hunt",
    "register": "kinds",
    **dict.fromkeys(
        ("EFFORT", "Contract", "Effort", "Experiment", "Function", "Slack", "Verdict", "WeightContract"), "protocol"
    ),
}


def __getattr__(name: str) -> object:
    import importlib

    home = _HOMES.get(name) or _kinds().get(name)
    if home is None:
        raise AttributeError(f"module 'kexport.contracts' has no attribute {name!r}")
    return getattr(importlib.import_module(f"kexport.contracts.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_kinds()})


def _kinds() -> dict[str, str]:
    """The class of each file of the folder, by the rule of its name: `LowPass` lives in `low_pass.py`."""
    return {"".join(part.capitalize() for part in file.split("_")): file for file in registry.names("contracts")}
