"""PermutationPooling: every mode, over few and many members."""

from collections.abc import Iterator

from contract_cases._configuration import Configuration, Draw, numbered
from kexport_layers.permutation_pooling import PermutationPooling


def _configurations() -> Iterator[Configuration]:
    draw = Draw(12)
    for _ in range(16):
        mode, shape = draw.one(("mean", "sum", "max", "min")), (draw.one((None, draw.whole(2, 12))), draw.whole(1, 6))
        yield Configuration(
            ("permutation_pooling",), f"{mode} over {shape}",
            lambda x, mode=mode: PermutationPooling(mode)(x), {"x": shape}, draw.domain(), draw.policy(),
        )  # fmt: skip


CONFIGURATIONS = numbered(_configurations())
