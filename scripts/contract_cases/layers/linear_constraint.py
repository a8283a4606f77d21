"""LinearConstraint: equations, boxes, half-spaces."""

from collections.abc import Iterator

from contract_cases._configuration import Configuration, Draw, numbered
from kexport_layers.linear_constraint import LinearConstraint


def _configurations() -> Iterator[Configuration]:
    draw = Draw(13)
    for index in range(18):
        size = draw.whole(2, 12)
        row = [draw.real(-2, 2) or 1.0 for _ in range(size)]
        if index % 3 == 0:
            count = draw.whole(1, max(1, size // 2))
            rows = [[draw.real(-2, 2) for _ in range(size)] for _ in range(count)]
            words, given = f"{count} equations", {"A": rows, "b": [draw.real(-2, 2) for _ in range(count)]}
        elif index % 3 == 1:
            words, given = "box", {"low": [-abs(value) for value in row], "high": draw.real(0, 2)}
        else:
            words, given = "half-space", {"a": row, "at_most": draw.real(-1, 1)}
        shape = (*draw.inner(), size)
        yield Configuration(
            ("linear_constraint",), f"{words} on {shape}, {index}",
            lambda x, given=given: LinearConstraint(**given)(x), {"x": shape}, draw.domain(), draw.policy(),
        )  # fmt: skip


CONFIGURATIONS = numbered(_configurations())
