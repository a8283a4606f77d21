"""SimplexOutput: of few and many shares, totals of all sizes."""

from collections.abc import Iterator

from contract_cases._configuration import Configuration, Draw, numbered
from kexport_layers.simplex_output import SimplexOutput


def _configurations() -> Iterator[Configuration]:
    draw = Draw(4)
    for _ in range(16):
        total = draw.one((1.0, 1.0, draw.real(0.01, 0.5), draw.real(2, 100)))
        shape = (*draw.inner(), draw.whole(2, 24))
        yield Configuration(
            ("simplex_output",), f"total {total} on {shape}",
            lambda x, total=total: SimplexOutput(total)(x), {"x": shape}, draw.domain(), draw.policy(),
        )  # fmt: skip


CONFIGURATIONS = numbered(_configurations())
