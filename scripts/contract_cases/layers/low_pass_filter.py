"""LowPassFilter: moving averages, windowed sincs, designs by specification; every padding."""

from collections.abc import Iterator
from typing import Any

from contract_cases._configuration import Configuration, Draw, numbered
from kexport_layers.low_pass_filter import LowPassFilter

_WINDOWS = ("hamming", "hann", "blackman", "boxcar")


def _arguments(draw: Draw, index: int) -> dict[str, Any]:
    size = 2 * draw.whole(1, 12) + 1
    if index % 4 == 0:
        return {"kernel_size": size}
    if index % 4 == 1:
        rate, attenuation = draw.one((1.0, 360.0)), draw.whole(20, 60)
        edge = draw.rng.uniform(0.05, 0.15)
        bands = {"pass_band": edge * rate, "stop_band": (edge + draw.rng.uniform(0.15, 0.25)) * rate}
        rounded = {name: float(f"{value:.4g}") for name, value in bands.items()}
        return {**rounded, "attenuation": float(attenuation), "sample_rate": rate}
    rate = draw.one((1.0, 100.0, 360.0, 44100.0))
    cutoff = float(f"{rate * draw.rng.uniform(0.03, 0.45):.3g}")
    return {"kernel_size": size, "cutoff": cutoff, "sample_rate": rate, "window": draw.one(_WINDOWS)}


def _configurations() -> Iterator[Configuration]:
    draw = Draw(2)
    for index in range(24):
        arguments = {**_arguments(draw, index), "padding": draw.one(("same", "causal", "valid"))}
        # So long that a filter is seen beyond its transients.
        length = draw.one((None, *[max(40, draw.whole(5, 7) * arguments.get("kernel_size", 21))] * 3))
        channels = draw.one(((), (), (1,), (2,)))
        shape = (length, *channels)
        words = ", ".join(f"{key} {value}" for key, value in arguments.items()) + f" on {shape}"
        yield Configuration(
            ("low_pass_filter",), words, lambda x, arguments=arguments: LowPassFilter(**arguments)(x), {"x": shape},
            draw.domain(), draw.policy(),
        )  # fmt: skip


CONFIGURATIONS = numbered(_configurations())
