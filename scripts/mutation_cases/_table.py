"""Changes of a CSV file."""

from __future__ import annotations

from random import Random

from mutation_cases import _bytes
from mutation_cases._bytes import Edited

_CELLS = (
    "", "x", "nan", "inf", "-inf", "1e39", "1e400", "300", "-1", "1.7", "1e20", "1_000", "0x10", "1;2", '"1"', '"1',
    "1\0", "é", "\u0661",
    "1e", "--1", "=1+1", "TRUE", "1,5", " 1 ", "1" * 5000, "x" * 200_000, "\x1b[31m", "\ufeff1", "1\r2", "1j",
)  # fmt: skip


def edit(content: bytes, rng: Random) -> Edited:
    """One change."""
    if rng.random() < 0.3:
        return _bytes.edit(content, rng)
    try:
        rows = [line.split(",") for line in content.decode().splitlines()]
    except UnicodeDecodeError:
        return _bytes.edit(content, rng)
    row = rng.randrange(len(rows))
    how = rng.choice(("cell", "cell", "cell", "title", "separator", "row", "column", "encoding", "ends"))
    if how == "cell":
        rows[row][rng.randrange(len(rows[row]))] = rng.choice(_CELLS)
    elif how == "title":
        rows.insert(0, [rng.choice(("a", "1", "x y", ""))] * len(rows[0]))
    elif how == "row":
        rows[row] = rng.choice(([], rows[row][:-1], rows[row] * 2, [cell[:20] for cell in rows[row]] * 10_000))
    elif how == "column":
        rows = [cells[:1] for cells in rows]
    text = "\n".join((";" if how == "separator" else ",").join(cells) for cells in rows) + "\n"
    if how == "encoding":
        return how, text.encode(rng.choice(("utf-16", "utf-32", "utf-8-sig")))
    return how, (text.replace("\n", rng.choice(("\r", "\r\n", "\n\n"))) if how == "ends" else text).encode()
