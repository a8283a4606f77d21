"""What the goldens of a build can see of the model, and the inputs that see more."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain, islice

from kexport.bundle.adequacy_entry import AdequacyEntry
from kexport.errors import reason
from kexport.factory.adequacy.allowance import Allowance
from kexport.factory.adequacy.findings import unmeasured, unseen
from kexport.factory.adequacy.reasons import Reasons, reasons_of
from kexport.factory.adequacy.sight import Sight
from kexport.factory.adequacy.sought_inputs import BEYOND, SoughtSpace
from kexport.factory.adequacy.traced_weights import traced_weights
from kexport.factory.adequacy.view import SOUGHT, View
from kexport.factory.inputs import InputDomains
from kexport.factory.trace.program import Program
from kexport.factory.truth import GoldenSet, Oracle, extend
from kexport.parity.golden_inputs import SEED, Feeds

_MOST_SOUGHT = 8  # goldens
_ALIKE = 0.01  # limits that differ by less decide alike


@dataclass(frozen=True)
class Adequacy:
    """What the goldens see.

    Attributes:
        entry: for the manifest.
        sought: inputs that see more, with their labels; they should become goldens.
    """

    entry: AdequacyEntry
    sought: tuple[tuple[str, Feeds], ...] = ()

    @property
    def notes(self) -> list[str]:
        """A note for the report where goldens had to leave a domain that was guessed."""
        labels = [label.removeprefix(SOUGHT) for label, _ in self.sought]
        far = [label for label in labels if label.startswith(BEYOND)]
        if not far:
            return []
        return [f"goldens lie {far[-1]}, since those within it do not show all of the model: --domain settles it"]


def see(
    program: Program, oracle: Oracle, golden_set: GoldenSet, inputs: InputDomains, declared: Mapping[str, str]
) -> tuple[GoldenSet, Adequacy]:
    """The goldens with those that see more, and what they all see.

    Args:
        program: the traced model.
        oracle: the model and its twin.
        golden_set: the planned goldens, with the derived limits.
        inputs: the domains of its inputs.
        declared: what need not be seen, each with the reason.
    """
    adequacy = assess(program, golden_set, inputs, declared)
    if not adequacy.sought:
        return golden_set, adequacy
    more = extend(program, oracle, inputs.domains, golden_set, adequacy.sought)
    if _as_strict(golden_set, more):
        return more, adequacy
    return more, replace(assess(program, more, inputs, declared, seek=False), sought=adequacy.sought)


def _as_strict(before: GoldenSet, after: GoldenSet) -> bool:
    """Whether the limits are those by which the sought inputs were judged."""
    if any(golden.ulp_sensitivity for golden in after.goldens[len(before.goldens) :]):
        return False
    pairs = zip(before.limits, after.limits, strict=True)
    return all(
        math.isclose(one.limit, other.limit, rel_tol=_ALIKE) and math.isclose(one.scale, other.scale, rel_tol=_ALIKE)
        for one, other in pairs
    )


def assess(
    program: Program, golden_set: GoldenSet, inputs: InputDomains, declared: Mapping[str, str], *, seek: bool = True
) -> Adequacy:
    """Measure what the goldens see, and look for inputs that see more; where that fails, no output counts as seen.

    Args:
        program: the traced model.
        golden_set: its goldens, with the derived limits.
        inputs: the domains of its inputs.
        declared: what need not be seen, each with the reason.
        seek: whether to look for more inputs.
    """
    try:
        return _assess(program, golden_set, inputs, declared, seek)
    except Exception as error:  # noqa: BLE001  the model's own code, and the gradients of its operations, may raise anything
        outputs = [spec.name for spec in program.signature.outputs]
        return Adequacy(AdequacyEntry(0, 0, tuple(unmeasured(outputs, reason(error), declared)), dict(declared)))
    finally:
        program.reset()


def _assess(
    program: Program, golden_set: GoldenSet, inputs: InputDomains, declared: Mapping[str, str], seek: bool
) -> Adequacy:
    weights = traced_weights(program)
    views = [View.of_golden(program.signature, golden, golden_set.limits) for golden in golden_set.goldens]
    allowance = Allowance.of(weights)
    sight = Sight(program, golden_set.limits, weights, allowance)
    sight.add_goldens(views, (golden.truth for golden in golden_set.goldens))
    shapes = [{name: value.shape for name, value in view.feeds.items()} for view in views]
    space = SoughtSpace.of(program.signature, inputs, shapes, allowance)
    sought = _Seeker(sight, space)
    if seek:
        sought.suggested()
        sought.within(0, allowance.tries)
    elsewhere = sought.sight.remainder()
    if elsewhere.lacks:
        everywhere = frozenset(space.space.names)
        for _, feeds in chain(space.suggested(sought.sight.occurrences, everywhere), space.beyond(SEED, everywhere)):
            _try(elsewhere, feeds)
    if seek and elsewhere.found:
        sought.within(allowance.tries, allowance.more_tries)
    if seek and (elsewhere.found or sought.sight.occurrences.one_sided):
        sought.beyond()
    sight = sought.sight
    if sought.found:
        sight.look_again()
    entry = AdequacyEntry(
        sum(weight.value.size for weight in weights),
        sum(each.seen_elements for each in sight.sensitivities),
        tuple(unseen(sight, elsewhere, space, _reasons(program, sight), declared)),
        dict(declared),
        tuple(sight.notes),
    )
    return Adequacy(entry, tuple(sought.found))


def _reasons(program: Program, sight: Sight) -> Reasons:
    try:
        return reasons_of(program, sight.views, sight.sensitivities)
    except Exception:  # noqa: BLE001  what is unseen is named without its reason then
        return {}


class _Seeker:
    """The search for inputs that see more than the goldens.

    Args:
        sight: what the goldens see.
        space: where inputs come from.

    Attributes:
        sight: what the goldens see with the inputs that are found, and no others.
        found: the inputs that see more, with their labels.
    """

    def __init__(self, sight: Sight, space: SoughtSpace) -> None:
        self.sight = sight
        self._space = space
        self.found: list[tuple[str, Feeds]] = []

    def within(self, first: int, last: int) -> None:
        """Try inputs within the domains; parts of weights are worth no input that was never recorded."""
        parts = self._space.allowance.parts and not self._space.recorded
        if self.sight.lacks or (self.sight.partial and parts):
            self._take(islice(self._space.within(SEED, last), first, last), parts=parts)

    def suggested(self) -> None:
        """Try the keys and edges that have not occurred, in the inputs whose domain was guessed."""
        if self.sight.occurrences.unseen and self._space.guessed:
            candidates = list(self._space.suggested(self.sight.occurrences, self._space.guessed))
            self._take(candidates, parts=True)

    def beyond(self) -> None:
        """Try inputs beyond the domains that were guessed, for what is not seen at all, and branches never taken."""
        if self._open and self._space.guessed:
            self._take(self._space.beyond(SEED, self._space.guessed), parts=False)

    @property
    def _open(self) -> int:
        """How much is not seen at all, and how many branches are never taken."""
        return self.sight.missing + len(self.sight.occurrences.one_sided)

    def _take(self, candidates: Iterable[tuple[str, Feeds]], *, parts: bool) -> None:
        for label, feeds in candidates:
            if len(self.found) == _MOST_SOUGHT or not (self._open or (parts and self.sight.partial)):
                return
            before, known = self._open, self.sight.learnt()
            if _try(self.sight, feeds) and (parts or self._open < before):
                self.found.append((SOUGHT + label, feeds))
            else:
                self.sight = known


def _try(sight: Sight, feeds: Feeds) -> bool:
    """Whether an input sees more than those before it; one that the model refuses does not."""
    try:
        return sight.add(feeds)
    except Exception:  # noqa: BLE001  the model need not take what is beyond its domain
        return False
