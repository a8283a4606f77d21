"""Whether time and memory of a call follow from the file and the sizes of the inputs, or from their values as well.

A loop whose condition looks at values may never end, and sizes made of values may take what the machine has; neither
is a flaw. What is steady here depends on constants and sizes alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kexport.runtimes.soundness.flaw import LONGEST_LOOP
from kexport.runtimes.soundness.tflite_costs import CallLimits, may_abort, may_overflow, most_at_a_time
from kexport.runtimes.soundness.tflite_schema import OperatorRow, SubgraphRows, constant_integers
from kexport.runtimes.soundness.tflite_work import work

#: Operands that decide how large a result is.
_SIZES = {
    "BROADCAST_ARGS": (0, 1),
    "BROADCAST_TO": (1,),
    "CONV_3D_TRANSPOSE": (0,),
    "EMBEDDING_LOOKUP_SPARSE": (2,),
    "FILL": (0,),
    "MIRROR_PAD": (1,),
    "MULTINOMIAL": (1,),
    "NON_MAX_SUPPRESSION_V4": (2,),
    "NON_MAX_SUPPRESSION_V5": (2,),
    "ONE_HOT": (1,),
    "PAD": (1,),
    "PADV2": (1,),
    "RANDOM_STANDARD_NORMAL": (0,),
    "RANDOM_UNIFORM": (0,),
    "RANGE": (0, 1, 2),
    "RESIZE_BILINEAR": (1,),
    "RESIZE_NEAREST_NEIGHBOR": (1,),
    "RFFT2D": (1,),
    "SCATTER_ND": (2,),
    "SEGMENT_SUM": (1,),
    "SPACE_TO_BATCH_ND": (1, 2),
    "SPARSE_TO_DENSE": (1,),
    "TILE": (1,),
    "TRANSPOSE_CONV": (0,),
    "UNSORTED_SEGMENT_MAX": (2,),
    "UNSORTED_SEGMENT_MIN": (2,),
    "UNSORTED_SEGMENT_PROD": (2,),
    "UNSORTED_SEGMENT_SUM": (2,),
}
_OF_SIZES = frozenset({"SHAPE", "RANK"})
_OF_STATE = ("READ_", "RANDOM_", "MULTINOMIAL", "HASHTABLE", "STABLEHLO_", "CUSTOM", "VAR_HANDLE")
#: By name: which operand of a comparison is the smaller one while the loop goes on.
_LESS = {"LESS": 0, "LESS_EQUAL": 0, "GREATER": 1, "GREATER_EQUAL": 1}
_MOST_OPERATORS = 200_000  # each as often as it is looked at
_OPERATOR = 100.0  # nanoseconds for an operator by itself
_BITS = 32  # of the smallest integers that count turns
_Flags = tuple[bool, ...]


def decided_by_values(subgraphs: Sequence[SubgraphRows], content: memoryview, most: CallLimits) -> str:
    """The first operator whose time or memory the values of a call decide; empty where there is none.

    Args:
        subgraphs: all of a file that was checked.
        content: the file.
        most: what a call may take.
    """
    bounds = _Bounds(subgraphs, content, most)
    called = {index for subgraph in subgraphs for operator in subgraph.operators for index in _targets(operator)}
    for index, subgraph in enumerate(subgraphs):
        if index not in called:
            bounds.steady_outputs(index, (False,) * len(subgraph.inputs), 1)
    return bounds.found or _too_large(subgraphs, most.bytes)


def _too_large(subgraphs: Sequence[SubgraphRows], most: int) -> str:
    """The operator at which the tensors of a subgraph take more than a call may."""
    for subgraph in subgraphs:
        held, operator = most_at_a_time(subgraph)
        if held > most:
            return subgraph.place if operator is None else _place(subgraph, subgraph.operators.index(operator))
    return ""


def _place(subgraph: SubgraphRows, number: int) -> str:
    return f"operator {number} of {subgraph.place} ({subgraph.operators[number].name})"


def _targets(operator: OperatorRow) -> list[int]:
    """The subgraphs that an operator runs."""
    return [
        value
        for field, value in operator.options.items()
        if field.endswith("_subgraph_index") and isinstance(value, int) and value >= 0
    ]


class _Bounds:
    """A walk through the subgraphs that runs what it finds with flags for values: whether they are steady."""

    def __init__(self, subgraphs: Sequence[SubgraphRows], content: memoryview, most: CallLimits) -> None:
        self._subgraphs, self._content, self._most = subgraphs, content, most
        self._nanoseconds = 0.0
        self._left = _MOST_OPERATORS
        self._known: dict[tuple[int, _Flags, int], _Flags] = {}
        self._taken: dict[tuple[int, _Flags, int], float] = {}
        self.found = ""

    def steady_outputs(self, index: int, given: _Flags, turns: int) -> _Flags:
        """Which outputs of a subgraph are steady.

        Args:
            index: of the subgraph.
            given: which of its inputs are.
            turns: how often it runs in one call, as far as constants say.
        """
        key = index, given, turns
        subgraph = self._subgraphs[index]
        if key in self._known:
            self._nanoseconds += self._taken[key]
            if self._nanoseconds > 1e9 * self._most.seconds:
                self.found = self.found or subgraph.place
        else:
            begun = self._nanoseconds
            self._left -= len(subgraph.operators)
            if self._left < 0:  # loops within loops, more than can be followed
                self.found = self.found or subgraph.place
                return (False,) * len(subgraph.outputs)
            steady = {tensor for tensor, row in enumerate(subgraph.tensors) if row.constant is not None}
            steady |= {-1, *(tensor for tensor, flag in zip(subgraph.inputs, given, strict=True) if flag)}
            for number, operator in enumerate(subgraph.operators):
                place = _place(subgraph, number)
                sizes = [operator.inputs[at] for at in _SIZES.get(operator.name, ()) if at < len(operator.inputs)]
                if not steady.issuperset(sizes) or self._is_costly(operator, subgraph, steady, turns):
                    self.found = self.found or place
                flags = self._flags(subgraph, operator, steady, turns, place)
                steady.update(tensor for tensor, flag in zip(operator.outputs, flags, strict=False) if flag)
            self._known[key] = tuple(tensor in steady for tensor in subgraph.outputs)
            self._taken[key] = self._nanoseconds - begun
        return self._known[key]

    def _is_costly(self, operator: OperatorRow, subgraph: SubgraphRows, steady: set[int], turns: int) -> bool:
        """Whether a call takes too long up to an operator, or may end the process there."""
        taken = work(operator, subgraph.tensors, reference=self._most.reference) + _OPERATOR
        self._nanoseconds += turns * taken
        values = not steady.issuperset(operator.inputs)
        if values and self._most.reference and may_abort(operator, subgraph.tensors):
            return True
        return self._nanoseconds > 1e9 * self._most.seconds or (
            values and may_overflow(operator, subgraph.tensors, lambda tensor: constant_integers(tensor, self._content))
        )

    def _flags(
        self, subgraph: SubgraphRows, operator: OperatorRow, steady: set[int], turns: int, place: str
    ) -> Sequence[bool]:
        """Which outputs of an operator are steady."""
        given = tuple(tensor in steady for tensor in operator.inputs)
        if operator.name == "WHILE":
            return self._while(subgraph, operator, given, turns, place)
        targets = _targets(operator)
        if operator.name == "IF":
            branches = [self.steady_outputs(index, given[1:], turns) for index in targets]
            return [given[0] and all(flags) for flags in zip(*branches, strict=True)]
        for index in targets:
            self.steady_outputs(index, (False,) * len(self._subgraphs[index].inputs), turns)
        if operator.name in _OF_SIZES:
            return [True]
        follows = all(given) and not targets and not operator.name.startswith(_OF_STATE)
        return [follows] * len(operator.outputs)

    def _while(
        self, subgraph: SubgraphRows, operator: OperatorRow, given: _Flags, turns: int, place: str
    ) -> Sequence[bool]:
        """Which values are steady from turn to turn; notes the loop if nothing steady ends it."""
        options = operator.options
        condition, body = (int(str(options[f"{name}_subgraph_index"])) for name in ("cond", "body"))
        flags, before = given, None
        while flags != before:
            before = flags
            after = self.steady_outputs(body, flags, turns)
            flags = tuple(one and other for one, other in zip(flags, after, strict=True))
        first = [self._number(subgraph, tensor) for tensor in operator.inputs]
        loop = _Loop(self._subgraphs[condition], self._subgraphs[body], flags, first, self._number)
        longest = loop.turns()
        if longest is None or turns * longest > LONGEST_LOOP:
            self.found = self.found or place
        else:
            self.steady_outputs(body, flags, turns * longest)
        self.steady_outputs(condition, flags, turns)
        return flags

    def _number(self, subgraph: SubgraphRows, tensor: int) -> int | None:
        """The number in a constant of one integer."""
        values = constant_integers(subgraph.tensors[tensor], self._content)
        return values[0] if values is not None and len(values) == 1 else None


class _Loop:
    """A loop whose condition compares a counter with a limit.

    Args:
        condition: the subgraph that decides whether there is another turn.
        body: the one that is a turn.
        flags: which of its values are steady.
        first: the values before the first turn, where they are constants of one integer.
        number: that of a constant of a subgraph.
    """

    def __init__(
        self,
        condition: SubgraphRows,
        body: SubgraphRows,
        flags: _Flags,
        first: Sequence[int | None],
        number: Callable[[SubgraphRows, int], int | None],
    ) -> None:
        self._condition, self._body = condition, body
        self._flags, self._first, self._number = flags, first, number

    def turns(self) -> int | None:
        """How often its condition lets it go on; 1 where sizes decide, None where values do."""
        found: dict[int, int] = {}
        for operator in self._condition.operators:
            turns = None
            if operator.name == "LOGICAL_AND":
                turns = min((found[each] for each in operator.inputs if each in found), default=None)
            elif operator.name in _LESS:
                smaller = _LESS[operator.name]
                turns = self._counted(operator.inputs[smaller], operator.inputs[1 - smaller])
            if turns is not None:
                found[operator.outputs[0]] = turns
        return found.get(self._condition.outputs[0])

    def _counted(self, counter: int, limit: int) -> int | None:
        """The turns until a counter reaches a limit."""
        if counter not in self._condition.inputs or not self._is_steady(limit):
            return None
        place = self._condition.inputs.index(counter)
        begin, end = self._first[place], self._limit(limit)
        operator, step = self._step(place)
        if not self._flags[place]:
            return None
        if operator == "ADD" and step > 0:
            return 1 if begin is None or end is None else max(1, (end - begin) // step + 1)
        if operator == "MUL" and step > 1 and begin is not None and begin > 0:
            return _BITS if end is None or end < 1 << _BITS - 2 else None
        return None

    def _step(self, place: int) -> tuple[str, int]:
        """By what operator and with what constant a turn changes one of the values, an integer; 0 where it does not."""
        own, after = self._body.inputs[place], self._body.outputs[place]
        for operator in self._body.operators:
            if operator.name in ("ADD", "MUL") and after in operator.outputs and own in operator.inputs:
                left, right = operator.inputs
                return operator.name, self._number(self._body, right if left == own else left) or 0
        return "", 0

    def _is_steady(self, limit: int) -> bool:
        """Whether a limit is a constant, or a value that no turn changes."""
        if limit not in self._condition.inputs:
            return self._condition.tensors[limit].constant is not None
        place = self._condition.inputs.index(limit)
        return self._flags[place] and self._body.outputs[place] == self._body.inputs[place]

    def _limit(self, limit: int) -> int | None:
        """The number of a limit, where it is a constant."""
        if limit in self._condition.inputs:
            return self._first[self._condition.inputs.index(limit)]
        return self._number(self._condition, limit)
