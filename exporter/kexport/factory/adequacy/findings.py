"""What is unseen, in words, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from kexport.bundle.adequacy_entry import MOST_NUMBERS, Standing, Unseen
from kexport.bundle.signature import Array
from kexport.errors import require_known
from kexport.factory.adequacy.occurrences import Occurrences
from kexport.factory.adequacy.reasons import Reasons
from kexport.factory.adequacy.sensitivity import Sensitivity
from kexport.factory.adequacy.sight import Sight
from kexport.factory.adequacy.sought_inputs import SoughtSpace
from kexport.factory.adequacy.traced_weights import traced_weights
from kexport.factory.adequacy.view import SEEN
from kexport.factory.trace import Program, paths

_DEAD = "no input that was tried, nor any far outside of the domain, makes an output depend on it"
_NEARLY_DEAD = "no golden depends on it, nor does a change of a hundredth move an output far outside of the domain"
_TAME = "no golden depends on it; inputs beyond the domain do"
_DEAD_ON_RECORDED = "no output depends on it in any of the recorded data; inputs beyond them do"
_STEADY = "no golden depends on it, and input {} is the same in all samples; other inputs do"
_TOO_LITTLE = "a change of a hundredth moves no output beyond its limit"
_FAINT = "a change of a hundredth moves no output beyond its limit, one of its whole scale does"
_FACTOR = "a change of all of it by the same hundredth moves no output beyond its limit"
_UNTRIED = "too many to be changed one by one: nobody looked at them"
_NOBODY_LOOKED = "nobody looked at it: there is no gradient, and too many weights to change them one by one"
_STEPS = "what follows has steps, so they were not looked at one by one"
_ELEMENTS = "changed alone by half of the scale, they move no output beyond its limit"


def unseen(
    sight: Sight, elsewhere: Sight, space: SoughtSpace, why: Reasons, declared: Mapping[str, str]
) -> Iterator[Unseen]:
    """What is unseen.

    Args:
        sight: what the goldens see.
        elsewhere: what inputs beyond the domain see of the rest.
        space: where the goldens are from.
        why: the reasons of unseen slices, as far as they are known.
        declared: what need not be seen, each with the reason.
    """
    return _with_reasons(_unseen(sight, elsewhere, space, why), declared)


def unmeasured(outputs: Sequence[str], why: str, declared: Mapping[str, str]) -> Iterator[Unseen]:
    """What is unseen where nothing could be measured: all outputs, for this reason."""
    what = f"what the goldens see of it could not be measured: {why}"
    return _with_reasons((Unseen(f"output {name}", Standing.OPEN, what) for name in outputs), declared)


def _with_reasons(found: Iterable[Unseen], declared: Mapping[str, str]) -> Iterator[Unseen]:
    """The same, where a person gave a reason with that."""
    for each in found:
        stated = declared_reason(each, declared)
        yield replace(each, standing=Standing.DECLARED, why=f"declared: {stated}") if stated else each


def _unseen(sight: Sight, elsewhere: Sight, space: SoughtSpace, why: Reasons) -> Iterator[Unseen]:
    still_constant = elsewhere.constant
    still_silent = {each.weight.name: each.is_silent for each in elsewhere.sensitivities if each.whole < SEEN}
    for name in sight.constant:
        if name in still_constant:
            yield _constant(name, sight)
        else:
            yield Unseen(
                f"output {name}", Standing.OPEN, "it is the same on all goldens; inputs beyond the domain change it"
            )
    for missing in sight.occurrences.unseen:
        if missing.subject not in sight.occurrences.silent:
            yield missing
        elif missing.subject in elsewhere.occurrences.silent:
            yield replace(missing, standing=Standing.DEAD, why="nothing that was tried reaches it")
        else:
            yield replace(missing, standing=Standing.OPEN, why="nothing of it occurs on these inputs; others have it")
    for each in sight.sensitivities:
        name = each.weight.name
        if name in sight.untried:
            yield Unseen(name, Standing.PARTIAL, _NOBODY_LOOKED)
        elif each.is_silent:
            if name in still_silent:
                yield Unseen(name, Standing.DEAD, _DEAD if still_silent[name] else _NEARLY_DEAD)
            else:
                yield _silent(name, space)
        elif each.whole < SEEN:
            yield Unseen(name, Standing.PARTIAL, _FAINT)
        else:
            yield from _parts(each, why)


def _constant(name: str, sight: Sight) -> Unseen:
    """An output that no input changes; where there are gradients, they tell what it depends on nevertheless."""
    tells = name not in sight.labels
    why = "it is the same for every input that was tried"
    return Unseen(f"output {name}", Standing.DEAD if tells else Standing.OPEN, why)


def _silent(name: str, space: SoughtSpace) -> Unseen:
    """A weight that no golden sees; recorded data that vary show what is dead, those that do not are too tame."""
    if space.steady:
        return Unseen(name, Standing.OPEN, _STEADY.format(", ".join(space.steady)))
    return Unseen(name, *((Standing.DEAD, _DEAD_ON_RECORDED) if space.recorded else (Standing.OPEN, _TAME)))


def _parts(each: Sensitivity, reasons: Reasons) -> Iterator[Unseen]:
    name, weight = each.weight.name, each.weight
    hidden = 0
    for axis, indices in each.unseen_slices():
        part, guess = _slice_words(each, axis)
        why = reasons.get((name, axis), guess)
        size = weight.value.shape[axis]
        hidden += len(indices) * (weight.value.size // size)
        yield Unseen(name, Standing.PARTIAL, why, part, _numbers(indices), len(indices), size)
    for axis, count in each.untried.items():
        part, _ = _slice_words(each, axis)
        yield Unseen(name, Standing.PARTIAL, _UNTRIED, f"{count} {part}", count=count, of=weight.value.shape[axis])
    if not each.sees_scale:
        yield Unseen(name, Standing.PARTIAL, _FACTOR, "a common factor", count=1, of=1)
    if each.is_stepped and weight.value.ndim > 1:
        yield Unseen(name, Standing.PARTIAL, _STEPS, "single elements")
    faint = int(each.faint.sum())
    if faint > hidden:
        yield Unseen(
            name,
            Standing.PARTIAL,
            _ELEMENTS,
            f"{faint - hidden} single element{'s' * (faint - hidden > 1)}",
            count=faint - hidden,
            of=weight.value.size,
        )


def _slice_words(each: Sensitivity, axis: int) -> tuple[str, str]:
    """What the slices across an axis are called, and why they are unseen."""
    last = each.weight.value.ndim - 1
    if each.weight.is_table and axis == 0:
        return "rows", "no golden depends on them"
    if axis == last:
        return ("channels" if last else "elements"), _TOO_LITTLE
    return ("inputs" if axis == last - 1 else f"places on axis {axis}"), _TOO_LITTLE


def _numbers(indices: Array | Sequence[int]) -> tuple[int, ...]:
    return tuple(int(index) for index in indices[:MOST_NUMBERS])


def declared_reason(found: Unseen, declared: Mapping[str, str]) -> str:
    """The reason that a person gave for this weight, a layer around it, or this output; empty without one."""
    subject = found.subject.removeprefix("output ")
    return next((why for name, why in declared.items() if _covers(name, subject)), "")


def _covers(name: str, subject: str) -> bool:
    """Whether a declared name is that of the subject, or of a layer around it."""
    return f"/{name}/" in f"/{subject}/"


def require_subjects(program: Program, declared: Mapping[str, str]) -> None:
    """Raise `UsageError` unless every name that a person declared unseen is that of an output, a layer or a weight."""
    if not declared:
        return
    outputs = [spec.name for spec in program.signature.outputs]
    layers = [path for _, path in paths(program.model)]
    weights = [weight.name for weight in traced_weights(program)]
    subjects = [*outputs, *layers, *weights, *(each.name for each in Occurrences(program).watched)]
    for name in declared:
        if not any(_covers(name, subject) for subject in subjects):
            problem = f"{name!r} is declared unseen, which is neither an output, a layer nor a weight of the model"
            require_known(name, dict.fromkeys([*outputs, *layers]), problem)
