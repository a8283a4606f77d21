"""What the nodes of an ONNX file cost together, as far as sizes tell: time, and memory before any call.

ONNX Runtime computes what depends on constants alone while it loads a file, in the process that loads it. Each tensor
may be small and each node quick, and all of them take minutes and gigabytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.onnx_operands import Operands
from kexport.runtimes.soundness.onnx_rows import NodeRow
from kexport.runtimes.soundness.onnx_tensors import TEXT, Known
from kexport.runtimes.soundness.onnx_work import count, work

_NODE = 500.0  # nanoseconds for a node by itself, which count in loops
_PASSING = frozenset({"Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})  # in place of its input
_MULTIPLYING = frozenset({"Expand", "Tile"})
_MOST_DOUBLINGS = 16  # of a text


class CostLimits(NamedTuple):
    """What a file may take in the process that loads it.

    Attributes:
        bytes: of one tensor; twice as much of all that depend on nothing but constants together.
        seconds: of one core, for these, and for one call.
        content: the size of the file, which no text in it exceeds.
    """

    bytes: int
    seconds: float
    content: int = 0


class Costs:
    """The sums over one walk through a model.

    Attributes:
        apart: the first node that makes a call too expensive to be made in the caller's process, or that the values of
            a call decide; empty where there is none.
        unknown: whether something depends on constants alone of which the size is not known.
        turns: how often the nodes that are added run, as far as constants say.
    """

    def __init__(self, most: CostLimits) -> None:
        self._most = most
        self._bytes, self._before, self._call, self._doublings = 0, 0.0, 0.0, 0
        self.apart, self.unknown, self.turns = "", False, 1

    def add(self, node: NodeRow, given: Sequence[Known], result: Known, *, fixed: bool) -> None:
        """Add a node.

        Args:
            node: the node.
            given: what is known of its inputs.
            result: what is known of its first result.
            fixed: whether it depends on nothing but constants.

        Raises:
            FlawError: what depends on nothing but constants takes too much.
        """
        self._add_texts(node, given, result, fixed=fixed)
        nanoseconds = work(Operands(node, given), result.dims) + _NODE
        if not fixed:
            self._call += self.turns * nanoseconds
            if self._call > 1e9 * self._most.seconds:
                self.apart = self.apart or node.place
            return
        self.unknown |= result.dims is None or any(size < 0 for size in result.dims)
        if node.kind not in _PASSING or not given or given[0].least != result.least:
            self._bytes += result.least
        self._before += nanoseconds
        if self._bytes > 2 * self._most.bytes:
            got = f"{self._bytes / 1e9:.1f} GB up to {node.place}"
            expected = f"at most {2 * self._most.bytes / 1e9:.1f} GB; max_bytes raises that"
            raise FlawError("the size of all that depends on nothing but constants", got, expected)
        if self._before > 1e9 * self._most.seconds:
            got = f"about {self._before / 1e9:.0f} s up to {node.place}"
            expected = f"at most {self._most.seconds:.0f} s"
            raise FlawError("the time for what depends on nothing but constants", got, expected)

    def _add_texts(self, node: NodeRow, given: Sequence[Known], result: Known, *, fixed: bool) -> None:
        """Texts have no size that anything limits."""
        if node.kind == "StringConcat":
            self._doublings += self.turns
            got, short = f"joined with others {self._doublings} times", self._doublings <= _MOST_DOUBLINGS
        elif node.kind in _MULTIPLYING and given and given[0].type == TEXT:
            texts = count(result.dims)
            got, short = f"{texts} of them", fixed and texts * self._most.content <= self._most.bytes
        else:
            return
        if fixed and not short:
            raise FlawError(f"the texts of {node.place}", got, "what fits in memory however long they are")
        if not short:
            self.apart = self.apart or node.place
