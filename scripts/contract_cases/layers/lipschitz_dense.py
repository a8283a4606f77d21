"""LipschitzDense: weights as initialised, and random ones of all sizes; bounds of all sizes."""

from collections.abc import Iterator

from contract_cases._configuration import Configuration, Draw, numbered
from kexport_layers.lipschitz_dense import LipschitzDense


def _configurations() -> Iterator[Configuration]:
    draw = Draw(6)
    for seed in range(18):
        units, size, bound = draw.whole(1, 16), draw.whole(1, 16), draw.one((1.0, draw.real(0.05, 1), draw.real(1, 20)))
        spread = draw.one((None, 0.01, 1.0, 10.0))
        yield Configuration(
            ("lipschitz_dense",), f"{size} to {units}, bound {bound}, weights of {spread}",
            lambda x, units=units, bound=bound: LipschitzDense(units, bound)(x), {"x": (size,)}, draw.domain(),
            draw.policy(), seed, spread,
        )  # fmt: skip


CONFIGURATIONS = numbered(_configurations())
