"""BoundedOutput: each method, bounds of all sizes, saturated inputs among them."""

from collections.abc import Iterator

from contract_cases._configuration import Configuration, Draw, numbered
from kexport_layers.bounded_output import BoundedOutput


def _configurations() -> Iterator[Configuration]:
    draw = Draw(3)
    for _ in range(18):
        low = draw.real(-10, 10)
        high = float(f"{low + 10 ** draw.rng.uniform(-2, 2):.4g}")
        method = draw.one(("sigmoid", "tanh", "clip"))
        shape = (*draw.inner(), draw.whole(1, 16))
        yield Configuration(
            ("bounded_output",), f"{low} to {high} by {method} on {shape}",
            lambda x, low=low, high=high, method=method: BoundedOutput(low, high, method)(x), {"x": shape},
            draw.domain(), draw.policy(),
        )  # fmt: skip


CONFIGURATIONS = numbered(_configurations())
