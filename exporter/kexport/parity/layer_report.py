"""A report on where an artifact diverges from its model: the error of each layer, and the first beyond its limit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

# The states of a layer; `LayerRow.state` says what each means.
RIGHT = "right"
WRONG = "wrong"
FUSED = "fused"
SAME = "same"
NOT_OBSERVABLE = "not observable"
NOT_RUN = "not run"
REWRITTEN = "rewritten"

#: A layer's error may be this many times its limit by chance: its noise is estimated from a few runs on one input.
CLEAR = 10.0

SCHEMA = 1


@dataclass(frozen=True)
class TensorSource:
    """The tensor of the artifact that holds a layer's result.

    Attributes:
        tensor: its name; empty where there is none.
        operator: the operators that compute it.
        how: how it was recognised: by its name, its values, or its place in the graph.
    """

    tensor: str = ""
    operator: str = ""
    how: str = ""


@dataclass(frozen=True)
class LayerError:
    """How far a layer's result in the artifact is from the truth.

    Attributes:
        figure: the distance, in `unit`.
        limit: the largest allowed distance.
        unit: the unit of figure and limit.
        excess: the distance as a multiple of the limit; infinite where no distance exists, as for a misplaced NaN.
        sqnr_db: the signal-to-quantisation-noise ratio, in dB.
        detail: what is wrong, in words.
    """

    figure: float | None = None
    limit: float | None = None
    unit: str = ""
    excess: float = 0.0
    sqnr_db: float | None = None
    detail: str = ""


@dataclass(frozen=True)
class LayerRow:
    """One call of a layer, as the artifact computes it.

    Attributes:
        layer: its path in the model, with the number of the call where it is called more than once.
        kind: its class in Keras.
        feeds: the calls whose results it takes.
        state: `RIGHT` or `WRONG` by its own limit; `FUSED`: the artifact has no tensor for it alone; `SAME`: its
            result is that of another call, unchanged; `NOT_OBSERVABLE`: no tensor of the artifact was recognised as
            its result; `NOT_RUN`: the artifact does not run; `REWRITTEN`: the artifact's tensor of its name holds
            something else, while all that follows is right.
        other: the layer into which it is fused, or whose result it passes on.
        source: the tensor of the artifact that holds its result.
        shape: the shape of the truth.
        error: the error of that tensor.
    """

    layer: str
    kind: str
    feeds: tuple[str, ...] = ()
    state: str = NOT_OBSERVABLE
    other: str = ""
    source: TensorSource = TensorSource()
    shape: tuple[int, ...] = ()
    error: LayerError = LayerError()

    @property
    def seen(self) -> bool:
        """Whether the artifact's own result was compared with the truth."""
        return self.state in (RIGHT, WRONG)

    def to_json(self) -> dict[str, object]:
        """The row in what `--json` prints."""
        identity = {
            "layer": self.layer,
            "kind": self.kind,
            "feeds": self.feeds,
            "state": self.state,
            "other": self.other,
        }
        return {**identity, **asdict(self.source), "shape": self.shape, **asdict(self.error)}


@dataclass(frozen=True)
class Divergence:
    """A layer at which an artifact diverges from its model.

    Attributes:
        layer: the first whose error exceeds its limit, while all its inputs are within theirs.
        with_it: layers between it and those inputs that have no tensor in the artifact: the fault may lie in them.
        before: the largest distance among the inputs, relative to scale; None when none was observed.
        before_db: the smallest signal-to-quantisation-noise ratio among the inputs, in dB.
        seen_in: the layer whose tensor shows the error, where that is another one.
        because: why it is this layer, where the tensor alone does not tell.
    """

    layer: str
    with_it: tuple[str, ...] = ()
    before: float | None = None
    before_db: float | None = None
    seen_in: str = ""
    because: str = ""


@dataclass(frozen=True)
class Localisation:
    """The layers of one artifact in one runtime, and where it diverges from its model.

    Attributes:
        artifact: its path in the bundle.
        runtime: the name of the runtime.
        case: label of the golden, or of the witness, on which the layers were compared.
        failing: what is wrong with the outputs themselves, one text each; empty when they are right.
        rows: one per call of a layer, in Keras' order.
        divergences: where it diverges; the first of them is the earliest.
        notes: further notes for the reader.
        unjudged: outputs of which nothing can be concluded, since the model's own noise is too large.
    """

    artifact: str
    runtime: str
    case: str
    failing: tuple[str, ...]
    rows: tuple[LayerRow, ...]
    divergences: tuple[Divergence, ...] = ()
    notes: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether an output is wrong."""
        return bool(self.failing)

    @property
    def passed(self) -> bool:
        """Whether every output was compared, and is right."""
        return not self.failing and not self.unjudged

    def row(self, layer: str) -> LayerRow:
        """The row of a layer."""
        return next(row for row in self.rows if row.layer == layer)

    def to_json(self) -> dict[str, object]:
        """The localisation's entry in what `--json` prints."""
        return {
            "passed": self.passed,
            "artifact": self.artifact,
            "runtime": self.runtime,
            "case": self.case,
            "failing": self.failing,
            "rows": [row.to_json() for row in self.rows],
            "partings": [asdict(divergence) for divergence in self.divergences],
            "notes": self.notes,
            "unjudged": self.unjudged,
        }


def diverging(rows: Sequence[LayerRow], ends: Collection[str]) -> tuple[list[LayerRow], list[Divergence]]:
    """The rows, with rewritten layers marked, and every layer at which the artifact diverges, in order.

    Args:
        rows: one per call, in order.
        ends: layers whose results are outputs of the model.
    """
    strict, clear = _judged(rows, ends, 1.0), _judged(rows, ends, CLEAR)
    rows = [replace(row, state=REWRITTEN) if row.state == WRONG and row.layer not in strict else row for row in rows]
    divergences = _divergences(rows, strict)
    excess = {row.layer: row.error.excess for row in rows}
    if divergences and excess[divergences[0].layer] <= CLEAR:  # layers far beyond their limit go first
        divergences = _divergences(rows, clear) or divergences
    return rows, divergences


def _judged(rows: Sequence[LayerRow], ends: Collection[str], most: float) -> dict[str, bool]:
    """For each layer that can be judged, whether its error is at most `most` times its limit.

    A wrong result makes the layers after it wrong. If they are all right, the tensor merely has the layer's name.
    """
    judged = {row.layer: row.error.excess <= most for row in rows if row.seen}
    for row in rows:
        behind = followers(row.layer, rows, judged)
        harmless = bool(behind) and row.layer not in ends and all(judged[name] for name in behind)
        if not judged.get(row.layer, True) and harmless:
            del judged[row.layer]
    return judged


def _divergences(rows: Sequence[LayerRow], judged: Mapping[str, bool]) -> list[Divergence]:
    """Every layer that is wrong while all its inputs are right, in order."""
    by_name = {row.layer: row for row in rows}
    divergences = []
    for row in rows:
        if judged.get(row.layer, True):
            continue
        nearest, between = sources(row, rows, judged)
        if all(judged[name] for name in nearest):
            figures = [figure for name in nearest if (figure := by_name[name].error.figure) is not None]
            ratios = [ratio for name in nearest if (ratio := by_name[name].error.sqnr_db) is not None]
            divergences.append(Divergence(row.layer, between, max(figures, default=None), min(ratios, default=None)))
    return divergences


def sources(row: LayerRow, rows: Sequence[LayerRow], judged: Collection[str]) -> tuple[list[str], tuple[str, ...]]:
    """The nearest layers before it that can be judged, and the layers in between that cannot, in order."""
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


def followers(layer: str, rows: Sequence[LayerRow], judged: Collection[str]) -> list[str]:
    """The nearest layers after it that can be judged."""
    nearest: list[str] = []
    reached = {layer}
    for row in rows:
        if reached & set(row.feeds):
            if row.layer in judged:
                nearest.append(row.layer)
            else:
                reached.add(row.layer)
    return nearest
