"""ScaledOutput."""

from collections.abc import Iterator

from contract_cases._configuration import Configuration, Draw, numbered
from kexport_layers.scaled_output import ScaledOutput


def _configurations() -> Iterator[Configuration]:
    draw = Draw(1)
    for _ in range(14):
        size = draw.whole(1, 24)
        single = draw.one((True, False))
        scale = draw.real(-20, 20) if single else [draw.real(-3, 3) for _ in range(size)]
        shape = (*draw.inner(), size)
        words = f"scale {scale if single else f'of {size} channels'} on {shape}"
        yield Configuration(
            ("scaled_output",), words, lambda x, scale=scale: ScaledOutput(scale)(x), {"x": shape}, draw.domain(),
            draw.policy(),
        )  # fmt: skip


CONFIGURATIONS = numbered(_configurations())
