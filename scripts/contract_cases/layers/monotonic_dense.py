"""MonotonicDense: one direction for all features, or one each; random weights of all sizes."""

from collections.abc import Iterator

from contract_cases._configuration import Configuration, Draw, numbered
from kexport_layers.monotonic_dense import MonotonicDense

_ACTIVATIONS = (None, "relu", "elu", "softplus", "sigmoid", "tanh", "hard_sigmoid", "softsign", "leaky_relu")


def _configurations() -> Iterator[Configuration]:
    draw = Draw(10)
    for seed in range(20):
        units, size, activation = draw.whole(1, 12), draw.whole(1, 12), draw.one(_ACTIVATIONS)
        ways = [int(way) for way in draw.rng.choice([1, -1, 0], size, p=[0.5, 0.4, 0.1])]
        direction = draw.one((1, -1, ways))
        spread = draw.one((None, 0.1, 1.0, 5.0))
        yield Configuration(
            ("monotonic_dense",), f"{size} to {units}, {activation}, direction {direction}, weights of {spread}",
            lambda x, arguments=(units, direction, activation): MonotonicDense(*arguments)(x), {"x": (size,)},
            draw.domain(), draw.policy(), seed, spread,
        )  # fmt: skip


CONFIGURATIONS = numbered(_configurations())
