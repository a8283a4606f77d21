"""Where an artifact parts from the model: each layer's distance from its truth, and the first at which it jumps."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

#: What is said of a layer.
RIGHT = "right"
WRONG = "wrong"
FUSED = "fused"
SAME = "same"
UNSEEN = "not observable"
UNRUN = "not run"
REWRITTEN = "rewritten"

#: So many times its limit a layer may be beyond it by bad luck: its noise is known from a few runs on one input.
CLEAR = 10.0

SCHEMA = 1


@dataclass(frozen=True)
class Row:
    """One call of a layer, as the artifact computes it.

    Attributes:
        layer: its path in the model, with the number of the call where it is called more than once.
        kind: its class in Keras.
        feeds: the calls whose results it takes.
        state: `RIGHT` or `WRONG` by its own limit; `FUSED`: the artifact makes nothing of its own of it; `SAME`: what
            it gives is what another call gave; `UNSEEN`: nothing in the artifact could be told to be it; `UNRUN`: the
            artifact does not run; `REWRITTEN`: the artifact's tensor of its name holds something else, and all that
            follows is right.
        other: the layer into which it is fused, or whose result it passes on.
        tensor: of the artifact.
        operator: of the artifact, that makes the tensor.
        how: the tensor was found by its name, by its place between others, or by its values.
        shape: of the truth.
        figure: distance from the truth, in `unit`.
        limit: what it may be at most.
        unit: of both.
        excess: how many times its limit it is; infinite for what no figure tells, such as NaN in the wrong place.
        sqnr_db: the ratio of signal to error.
        detail: what is wrong, in words.
    """

    layer: str
    kind: str
    feeds: tuple[str, ...] = ()
    state: str = UNSEEN
    other: str = ""
    tensor: str = ""
    operator: str = ""
    how: str = ""
    shape: tuple[int, ...] = ()
    figure: float | None = None
    limit: float | None = None
    unit: str = ""
    excess: float = 0.0
    sqnr_db: float | None = None
    detail: str = ""

    @property
    def seen(self) -> bool:
        """Whether the artifact's own result of it was compared with the truth."""
        return self.state in (RIGHT, WRONG)


@dataclass(frozen=True)
class Parting:
    """A layer at which an artifact parts from the model.

    Attributes:
        layer: the first whose result is beyond its limit, while all that goes in is within.
        with_it: layers without a result of their own in the artifact between it and what goes in: it may be them.
        before: the largest distance of what goes in, relative to scale; None when nothing of it was observed.
        before_db: the least ratio of signal to error of what goes in.
    """

    layer: str
    with_it: tuple[str, ...] = ()
    before: float | None = None
    before_db: float | None = None


@dataclass(frozen=True)
class Localisation:
    """What was found out about one artifact in one runtime.

    Attributes:
        artifact: its path in the bundle.
        runtime: the name of the runtime.
        case: label of the golden, or of the witness, that was looked at.
        failing: what is wrong with the outputs themselves, one text each; empty when they are right.
        rows: one a call of a layer, in Keras' order.
        partings: where it parts; the first of them is the earliest.
        notes: what a reader should know besides.
    """

    artifact: str
    runtime: str
    case: str
    failing: tuple[str, ...]
    rows: tuple[Row, ...]
    partings: tuple[Parting, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        """Whether every output is right."""
        return not self.failing

    def row(self, layer: str) -> Row:
        """The row of a layer."""
        return next(row for row in self.rows if row.layer == layer)

    def to_json(self) -> dict[str, Any]:
        """The localisation's entry in what `--json` prints."""
        return {"passed": self.passed, **asdict(self)}


def parted(rows: Sequence[Row], ends: Collection[str]) -> tuple[list[Row], list[Parting]]:
    """The rows, those marked that are wrong by their name only, and every layer at which the artifact parts, in order.

    Args:
        rows: one a call, in order.
        ends: layers whose results are outputs of the model.
    """
    strict, clear = _judged(rows, ends, 1.0), _judged(rows, ends, CLEAR)
    rows = [replace(row, state=REWRITTEN) if row.state == WRONG and row.layer not in strict else row for row in rows]
    found = _partings(rows, strict)
    excess = {row.layer: row.excess for row in rows}
    if found and excess[found[0].layer] <= CLEAR:  # a little beyond its limit: what is far beyond goes before
        found = _partings(rows, clear) or found
    return rows, found


def _judged(rows: Sequence[Row], ends: Collection[str], most: float) -> dict[str, bool]:
    """Of each layer that can be judged, whether it is right, when so many times its limit still is.

    What is wrong makes wrong what follows; where all of that is right, the tensor only bears the name of the layer.
    """
    judged = {row.layer: row.excess <= most for row in rows if row.seen}
    for row in rows:
        behind = followers(row.layer, rows, judged)
        harmless = bool(behind) and row.layer not in ends and all(judged[name] for name in behind)
        if not judged.get(row.layer, True) and harmless:
            del judged[row.layer]
    return judged


def _partings(rows: Sequence[Row], judged: Mapping[str, bool]) -> list[Parting]:
    """Every layer that is wrong while all that goes into it is right, in order."""
    by_name = {row.layer: row for row in rows}
    found = []
    for row in rows:
        if judged.get(row.layer, True):
            continue
        nearest, between = sources(row, rows, judged)
        if all(judged[name] for name in nearest):
            figures = [figure for name in nearest if (figure := by_name[name].figure) is not None]
            ratios = [ratio for name in nearest if (ratio := by_name[name].sqnr_db) is not None]
            found.append(Parting(row.layer, between, max(figures, default=None), min(ratios, default=None)))
    return found


def sources(row: Row, rows: Sequence[Row], judged: Collection[str]) -> tuple[list[str], tuple[str, ...]]:
    """The nearest layers before it that can be judged, and those between that cannot, in order."""
    by_name = {each.layer: each for each in rows}
    nearest: list[str] = []
    between: set[str] = set()
    waiting = list(row.feeds)
    while waiting:
        name = waiting.pop()
        if name in judged:
            nearest.append(name)
        elif name in by_name and name not in between:
            between.add(name)
            waiting += by_name[name].feeds
    return nearest, tuple(name for name in by_name if name in between)


def followers(layer: str, rows: Sequence[Row], judged: Collection[str]) -> list[str]:
    """The nearest layers behind it that can be judged."""
    found: list[str] = []
    reached = {layer}
    for row in rows:
        if reached & set(row.feeds):
            if row.layer in judged:
                found.append(row.layer)
            else:
                reached.add(row.layer)
    return found
