"""Which layers to keep in float so that the rest may be integers: few builds in place of one for every choice.

Each layer, or group of neighbours, is built alone in integers, all others in float. That gives the noise that it adds
and the bytes that it saves. Noise powers of different layers add up, since roundings are hardly correlated (Widrow and
Kollar, Quantization Noise, 2008, chapter 4); what converts between float and integers costs the same number of bytes at
each change along the model. So every choice is predicted, and the smallest that should keep the budget is built; what
it measures corrects the prediction.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.signature import Array

#: Groups of layers: all choices among these are predicted at once.
MOST_GROUPS = 16
#: Builds of predicted choices, beside one for each group: of few groups, no more than a tenth of all choices in all.
FEWEST_TRIALS, MOST_TRIALS = 4, 12
_QUIETER = 0.7  # the share of its noise that may be left in what follows a choice that breaks a promise
_HOPES = (1.0, 1.15, 1.5, 2.5)  # how much more noise than allowed may be predicted, the next where no choice is left


@dataclass(frozen=True)
class MixedTrial:
    """An artifact that was built and measured.

    Attributes:
        kept: the groups that stay in float.
        bytes: its size.
        noise: the power of the error of each output, relative to that of its signal, of shape `(outputs,)`.
        passed: whether it is within its limits on the goldens.
    """

    kept: frozenset[int]
    bytes: int
    noise: Array
    passed: bool


@dataclass(frozen=True)
class Setting:
    """What is chosen from.

    Attributes:
        groups: how many groups of layers there are, in the order of the model.
        wide: bytes of the artifact in float32.
        plain: the artifact in which all are integers, which does not pass.
        allowed: the most noise of each output, as in `MixedTrial`.
        bound: bytes of the best other artifact: only smaller ones are of use.
    """

    groups: int
    wide: int
    plain: MixedTrial
    allowed: Array
    bound: int


Build = Callable[[frozenset[int]], "MixedTrial | None"]
Accept = Callable[[MixedTrial], bool]


def choose(setting: Setting, build: Build, accept: Accept) -> MixedTrial | None:
    """The smallest that passes of those that were built; None if there is none.

    Args:
        setting: what is chosen from.
        build: builds an artifact with these groups in float, and measures it; None where that is refused.
        accept: makes all other checks of one that passes on the goldens.
    """
    everything = frozenset(range(setting.groups))
    alone = [build(everything - {group}) for group in range(setting.groups)]
    predicted = _Prediction.of(setting, alone)
    # Where the plain one has no more noise than is allowed, a promise of it is broken: less noise is needed.
    most = setting.allowed if (setting.plain.noise > setting.allowed).any() else _QUIETER * setting.plain.noise
    best: MixedTrial | None = None
    tried = {setting.plain.kept, everything}
    for single in sorted((each for each in alone if each is not None), key=lambda each: each.bytes):
        tried.add(single.kept)
        small = single.bytes < setting.bound and single.passed
        if small and best is None and accept(single):
            best = single
    for _ in range(min(MOST_TRIALS, max(FEWEST_TRIALS, (1 << setting.groups) // 10 - setting.groups))):
        bound = setting.bound if best is None else best.bytes
        hopeful = (predicted.smallest(most * hope, bound, tried) for hope in _HOPES)
        kept = next((each for each in hopeful if each is not None), None)
        if kept is None:
            break
        tried.add(kept)
        trial = build(kept)
        if trial is None:
            continue
        predicted = predicted.corrected(trial)
        if not trial.passed or trial.bytes >= bound:
            continue
        if accept(trial):
            best = trial
        else:
            most = np.minimum(most, _QUIETER * trial.noise)
    return best


@dataclass(frozen=True)
class _Prediction:
    """Bytes and noise of every choice.

    Attributes:
        integers: which groups are integers, of shape `(choices, groups)`, 0 or 1.
        bytes: of shape `(choices,)`.
        noise: of shape `(choices, outputs)`.
    """

    integers: Array
    bytes: Array
    noise: Array

    @classmethod
    def of(cls, setting: Setting, alone: Sequence[MixedTrial | None]) -> _Prediction:
        """The prediction from the artifacts with one group of integers; one that was refused stays in float."""
        count, outputs = setting.groups, len(setting.allowed)
        saved = np.array([0.0 if each is None else setting.wide - each.bytes for each in alone])
        noises = np.array([np.full(outputs, np.inf) if each is None else each.noise for each in alone])
        # Alone each group has two changes of precision; all together there are two in all.
        change = (setting.wide - setting.plain.bytes - saved.sum()) / max(1, 2 * count - 2)
        change = max(0.0, float(change))
        integers = (np.arange(1 << count)[:, None] >> np.arange(count)) & 1
        edges = np.pad(integers, ((0, 0), (1, 1)))
        changes = np.abs(np.diff(edges, axis=1)).sum(axis=1)
        size = setting.wide - integers @ (saved + 2 * change) + change * changes
        noise = np.zeros((len(integers), outputs))
        for group in range(count):
            noise += np.where(integers[:, group, None] == 1, noises[group], 0.0)
        return cls(integers, size, noise)

    def smallest(self, allowed: Array, bound: float, tried: set[frozenset[int]]) -> frozenset[int] | None:
        """The groups that stay in float in the smallest choice below a bound that should have no more noise."""
        able = (self.noise <= allowed).all(axis=1) & (self.bytes < bound)
        order = np.flatnonzero(able)
        for index in order[np.lexsort((self.noise[order].max(axis=1), self.bytes[order]))]:
            kept = frozenset(np.flatnonzero(self.integers[index] == 0).tolist())
            if kept not in tried:
                return kept
        return None

    def corrected(self, trial: MixedTrial) -> _Prediction:
        """The prediction, scaled so that it is right for a choice that was built, and for others nearly."""
        index = sum(1 << group for group in range(self.integers.shape[1]) if group not in trial.kept)
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.where(self.noise[index] > 0, trial.noise / self.noise[index], 1.0)
        factor = np.where(np.isfinite(factor) & (factor > 0), factor, 1.0)
        return _Prediction(self.integers, self.bytes + (trial.bytes - self.bytes[index]), self.noise * factor)


def grouped(layers: Sequence[str]) -> list[tuple[str, ...]]:
    """Layers in at most `MOST_GROUPS` groups of neighbours, as equal in number as can be."""
    count = min(MOST_GROUPS, len(layers))
    ends = [round(index * len(layers) / count) for index in range(count + 1)] if count else [0]
    return [tuple(layers[start:end]) for start, end in itertools.pairwise(ends)]
