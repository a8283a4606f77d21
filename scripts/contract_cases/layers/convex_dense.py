"""ConvexDense: one alone, and networks of two whose second sees the input again."""

from collections.abc import Iterator

from contract_cases._configuration import Configuration, Draw, numbered
from kexport_layers.convex_dense import ConvexDense

_ACTIVATIONS = (None, "relu", "leaky_relu", "softplus")


def _network(x, units, outputs, activation):
    hidden = ConvexDense(units, activation)(x)
    return ConvexDense(outputs, activation, hidden=True)(hidden, x)


def _configurations() -> Iterator[Configuration]:
    draw = Draw(11)
    for seed in range(20):
        units, outputs, size = draw.whole(2, 12), draw.whole(1, 4), draw.whole(1, 8)
        activation, spread = draw.one(_ACTIVATIONS), draw.one((None, 0.1, 1.0))
        alone = seed % 2 == 0
        made = (
            (lambda x, a=(outputs, activation): ConvexDense(*a)(x))
            if alone
            else (lambda x, a=(units, outputs, activation): _network(x, *a))
        )
        words = f"{size} to {outputs if alone else (units, outputs)}, {activation}, weights of {spread}"
        domain = draw.one(("uniform(-1, 1)", "uniform(-3, 3)", "uniform(-1, 4)"))
        yield Configuration(("convex_dense",), words, made, {"x": (size,)}, domain, draw.policy(), seed, spread)


CONFIGURATIONS = numbered(_configurations())
