"""RateLimiter: of fixed and dynamic lengths, with and without channels."""

from collections.abc import Iterator

from contract_cases._configuration import Configuration, Draw, numbered
from kexport_layers.rate_limiter import RateLimiter


def _configurations() -> Iterator[Configuration]:
    draw = Draw(7)
    for _ in range(14):
        step = float(f"{10 ** draw.rng.uniform(-2, 1):.3g}")
        shape = (draw.whole(2, 20), *draw.one(((), (1,), (3,))))
        yield Configuration(
            ("rate_limiter",), f"step {step} on {shape}",
            lambda x, step=step: RateLimiter(step)(x), {"x": shape}, draw.domain(), draw.policy(),
        )  # fmt: skip


CONFIGURATIONS = numbered(_configurations())
