"""`y = scale * x`."""

import numpy as np

from contract_cases._handmade import Handmade, node
from kexport_layers.scaled_output import ScaledOutput

_SCALES = np.linspace(-2, 3, 1024).astype("float32")

CASES = [
    Handmade(
        "scaled_output", lambda: ScaledOutput(2.5), {"x": (1024,)}, 256,
        lambda layer: ([node("Mul", "x scale")], {"scale": np.float32(2.5)}),
        lambda layer: lambda x: x * 2.5,
    ),
    Handmade(
        "scaled_output of channels", lambda: ScaledOutput(_SCALES.tolist()), {"x": (1024,)}, 256,
        lambda layer: ([node("Mul", "x scale")], {"scale": _SCALES}),
        lambda layer: lambda x: x * _SCALES,
    ),
]  # fmt: skip
