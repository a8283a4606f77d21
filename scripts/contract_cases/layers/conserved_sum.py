"""ConservedSum: of few and many elements, far from zero and near it."""

from collections.abc import Iterator

from contract_cases._configuration import Configuration, Draw, numbered
from kexport_layers.conserved_sum import ConservedSum


def _configurations() -> Iterator[Configuration]:
    draw = Draw(5)
    for _ in range(16):
        shape = (*draw.inner(), draw.whole(1, 20))
        yield Configuration(
            ("conserved_sum",), f"on {shape}, {draw.whole(0, 99)}",
            lambda x, reference: ConservedSum()(x, reference), {"x": shape, "reference": shape}, draw.domain(),
            draw.policy(),
        )  # fmt: skip


CONFIGURATIONS = numbered(_configurations())
