"""What a file computes, step by step, so that two files of one graph can be told apart by their constants."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Digest = bytes
ANYWHERE = -1


@dataclass(frozen=True)
class StoredOperator:
    """One operation.

    Attributes:
        kind: its operator.
        inputs: the tensors that it takes, by number.
        outputs: those that it computes.
        settings: digests of its attributes, by name.
        owner: the step within which it runs, such as a loop; `ANYWHERE` where that is not known, None for one of the
            graph itself.
    """

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    settings: Mapping[str, Digest] = field(default_factory=dict)
    owner: int | None = None


@dataclass(frozen=True)
class StoredConstant:
    """A tensor in a file.

    Attributes:
        name: as the file calls it.
        digest: of its type and its numbers.
        shape: its sizes; where they differ, no element has a counterpart.
    """

    name: str
    digest: Digest
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class StoredGraph:
    """The steps of a file; its tensors have numbers in the order in which they occur, whatever their names.

    Attributes:
        steps: in the order of the file.
        constants: by number.
        outputs: the number of each output, by its name.
    """

    steps: Sequence[StoredOperator]
    constants: Mapping[int, StoredConstant]
    outputs: Mapping[str, int]


class TensorNumbers(dict[object, int]):
    """The number of each tensor: the next one where it occurs for the first time."""

    def __missing__(self, name: object) -> int:
        self[name] = number = len(self)
        return number


def differing_parts(a: StoredGraph, b: StoredGraph) -> dict[str, list[str]]:
    """What differs between two files whose tensors are connected alike, in words, by the outputs of A that need it.

    Empty where the steps are connected in other ways: they may compute the same thing differently.
    """
    if len(a.steps) != len(b.steps) or not all(map(_alike, a.steps, b.steps)):
        return {}
    found: dict[str, list[str]] = {}
    for output, number in a.outputs.items():
        needed, steps = _needed(a, number)
        parts = [_other_step(ours, theirs) for index, (ours, theirs) in enumerate(zip(a.steps, b.steps, strict=True))
                 if index in steps]  # fmt: skip
        both = sorted(needed & a.constants.keys() & b.constants.keys())
        pairs = [(a.constants[each], b.constants[each]) for each in both]
        parts += [f"constant {ours.name}" for ours, theirs in pairs
                  if ours.shape == theirs.shape and ours.digest != theirs.digest]  # fmt: skip
        if any(parts):
            found[output] = list(filter(None, parts))
    return found


def digest_of(*parts: object) -> Digest:
    """The digest of texts and bytes."""
    sha256 = hashlib.sha256()
    for part in parts:
        content = part if isinstance(part, bytes | memoryview) else repr(part).encode()
        sha256.update(str(len(content)).encode() + b" ")
        sha256.update(content)
    return sha256.digest()


def _alike(one: StoredOperator, other: StoredOperator) -> bool:
    return (one.inputs, one.outputs, one.owner) == (other.inputs, other.outputs, other.owner)


def _other_step(one: StoredOperator, other: StoredOperator) -> str:
    """How a step differs from that in the other file; an attribute that one leaves out has a default."""
    if one.kind != other.kind:
        return f"operator {one.kind}, which is {other.kind} there"
    names = [name for name, digest in one.settings.items() if other.settings.get(name, digest) != digest]
    return f"{', '.join(names)} of an operator {one.kind}" if names else ""


def _needed(program: StoredGraph, output: int) -> tuple[set[int], set[int]]:
    """The tensors and the steps on which an output depends."""
    tensors, steps = {output}, set[int]()
    inner: dict[int, list[int]] = {}
    for index, step in enumerate(program.steps):
        if step.owner not in (None, ANYWHERE):
            inner.setdefault(step.owner, []).append(index)
    makers: dict[int, list[int]] = {}
    for index, step in enumerate(program.steps):
        for number in step.outputs:
            makers.setdefault(number, []).append(index)
    # What computes no tensor sets a variable, and what may run anywhere may matter to any output.
    acting = [index for index, step in enumerate(program.steps)
              if step.owner == ANYWHERE or not (step.outputs or step.owner is not None)]  # fmt: skip
    waiting: list[int] = [*makers.get(output, ()), *acting]
    while waiting:
        index = waiting.pop()
        if index in steps:
            continue
        steps.add(index)
        step = program.steps[index]
        waiting += inner.get(index, ())
        waiting += [] if step.owner in (None, ANYWHERE) else [step.owner]
        tensors.update(step.inputs)
        waiting += _makers_of(step.inputs, makers)
    return tensors, steps


def _makers_of(tensors: Iterable[int], makers: Mapping[int, Sequence[int]]) -> list[int]:
    return [index for number in tensors for index in makers.get(number, ())]
