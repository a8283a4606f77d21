"""A dense layer whose kernel is a constant."""

from contract_cases import _dense
from contract_cases._handmade import Handmade
from kexport_layers.monotonic_dense import MonotonicDense

CASES = [
    Handmade(
        "monotonic_dense", lambda: MonotonicDense(64, activation="relu"), {"x": (64,)}, 128, _dense.graph("Relu"),
        _dense.function("relu"),
    )
]  # fmt: skip
