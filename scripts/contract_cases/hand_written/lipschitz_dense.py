"""A dense layer whose kernel is a constant."""

from contract_cases import _dense
from contract_cases._handmade import Handmade
from kexport_layers.lipschitz_dense import LipschitzDense

CASES = [
    Handmade(
        "lipschitz_dense", lambda: LipschitzDense(64, activation="tanh"), {"x": (64,)}, 128, _dense.graph("Tanh"),
        _dense.function("tanh"),
    )
]  # fmt: skip
