"""The domains of inputs without a declared one, from what the layers and operations know that they reach unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from kexport.bundle.declared_domain import default_for
from kexport.bundle.domain import Bins, Choice, Domain, Features, Ints, Uniform, united
from kexport.bundle.signature import TensorSpec
from kexport.factory.inputs import knowledge, operations
from kexport.factory.inputs.knowledge import Knowledge
from kexport.factory.inputs.origins import MOST_FEATURES, Origins
from kexport.factory.trace.program import Program

_DEFAULT = "the default"
_SIMILAR = 1 / 3  # of the hull of all features: a feature as wide is seen well enough by values of the hull
_MOST_ORIGINS = 3


@dataclass
class _Facts:
    """What is known of one feature.

    Attributes:
        loose: the domains that layers know.
        strict: the values beyond which the model fails.
        origins: where that is known from.
    """

    loose: list[Domain] = field(default_factory=list)
    strict: list[Domain] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)

    def add(self, known: Knowledge, domain: Domain) -> None:
        """Add what is known."""
        (self.strict if known.strict else self.loose).append(domain)
        self.origins.append(known.origin)

    def domain(self, spec: TensorSpec) -> Domain | None:
        """The values of all, without those that the model, or the dtype, does not take."""
        domains = [fit for each in self.loose if (fit := _fitting(each, spec)) is not None]
        limits = [fit for each in self.strict if (fit := _fitting(each, spec)) is not None]
        if not domains:
            domains = limits[:1]
        whole = domains[0] if domains else None
        for each in domains[1:]:
            whole = united(whole, each) if whole is not None else each
        for limit in limits:
            whole = whole if whole is None else _limited(whole, limit)
        return whole


def known_domains(program: Program, names: Sequence[str]) -> dict[str, tuple[Domain, str]]:
    """The domain of each of these inputs, and where it comes from."""
    specs = program.signature.inputs
    facts: dict[tuple[int, int], _Facts] = {}
    if names:
        _gather(program, facts)
    domains = {}
    for index, spec in enumerate(specs):
        if spec.name in names:
            domains[spec.name] = _of_input(spec, [facts.get((index, each)) for each in range(_features(spec))])
    return domains


def _gather(program: Program, facts: dict[tuple[int, int], _Facts]) -> None:
    specs = program.signature.inputs
    origins = Origins(program.core.graph, specs)
    by_layers = _known_by_layers(program)
    for by_operation, (tensor, known) in chain(
        ((False, each) for each in by_layers), ((True, each) for each in operations.known(program, origins))
    ):
        origin = origins.of(tensor)
        if origin is None:
            continue
        for index in np.unique(origin.inputs[origin.inputs >= 0]).tolist():
            single = _features(specs[index]) == 1
            mine = origin.inputs == index
            for feature in [0] if single else np.unique(origin.features[mine]).tolist():
                domain = known.of_elements(mine if single else mine & (origin.features == feature))
                each = facts.setdefault((index, feature), _Facts())
                if domain is not None and not (by_operation and each.origins):  # layers know better
                    each.add(known, domain)


def _known_by_layers(program: Program) -> Iterator[tuple[object, Knowledge]]:
    for layer, tensors in program.calls:
        for tensor in tensors:
            dtype = getattr(getattr(tensor, "dtype", None), "name", "")
            known = knowledge.of_layer(layer, dtype) if dtype else None
            if known is not None:
                yield tensor, known
            if type(layer).__name__ == "CategoryEncoding":
                break  # what follows are the weights of the counts


def _features(spec: TensorSpec) -> int:
    """The number of features that may have a domain each."""
    last = spec.shape[-1] if len(spec.shape) > 1 else None
    return last if last is not None and 1 < last <= MOST_FEATURES else 1


def _of_input(spec: TensorSpec, facts: Sequence[_Facts | None]) -> tuple[Domain, str]:
    default = default_for(spec)
    domains = [None if each is None else each.domain(spec) for each in facts]
    known = [each for each in domains if each is not None]
    if not known:
        narrow = spec.numpy_dtype.kind in "iu" and spec.numpy_dtype.itemsize <= 2
        return default, f"the range of {spec.dtype}" if narrow else _DEFAULT
    origins = list(dict.fromkeys(origin for each in facts if each is not None for origin in each.origins))
    words = ", and ".join(origins[:_MOST_ORIGINS]) + (", and others" if len(origins) > _MOST_ORIGINS else "")
    whole = [each or default for each in domains]
    if len({str(each) for each in whole}) == 1:
        return whole[0], words
    if len(known) < len(whole):
        words += ", and the default elsewhere"
    return _similar(whole) or Features(*whole), words


def _similar(domains: Sequence[Domain]) -> Domain | None:
    """One range for all features, where each feature takes up much of it."""
    if not all(isinstance(each, Uniform) for each in domains):
        return None
    corners = [each.corners() for each in domains]
    low, high = min(map(min, corners)), max(map(max, corners))
    alike = all(max(each) - min(each) >= _SIMILAR * (high - low) for each in corners)
    return Uniform(low, high) if alike else None


def _fitting(domain: Domain, spec: TensorSpec) -> Domain | None:
    """The values of the domain that the dtype of an input can take; None where there are none."""
    kind = spec.numpy_dtype.kind
    text = isinstance(domain, Choice) and domain.is_text
    if kind not in "fciuU" or text != (kind == "U"):
        return None
    if text:
        return domain
    bounds = np.finfo(spec.numpy_dtype) if kind in "fc" else np.iinfo(spec.numpy_dtype)
    least, most = float(bounds.min), float(bounds.max)
    if kind in "iu":
        return _whole(domain, int(bounds.min), int(bounds.max))
    if isinstance(domain, Choice):
        values = [value for value in domain.values if isinstance(value, int | float) and least <= value <= most]
        return Choice(*values) if values else None
    low, high = min(domain.corners()), max(domain.corners())
    if least <= low and high <= most:
        return domain
    low, high = max(low, least), min(high, most)
    return Uniform(low, high) if low < high else None


def _whole(domain: Domain, least: int, most: int) -> Domain | None:
    """The integers of a domain; of bins, those around the edges."""
    if isinstance(domain, Choice | Bins):
        given = domain.values if isinstance(domain, Choice) else domain.points()
        around = {round_(value) for value in given for round_ in (np.floor, np.ceil)}
        values = sorted({int(value) for value in around if least <= value <= most})
        if isinstance(domain, Choice) or 2 < len(values) <= 256:
            return Choice(*values) if values else None
    low, high = min(domain.corners()), max(domain.corners())
    first, last = max(int(np.floor(low)), least), min(int(np.ceil(high)), most)
    return Ints(first, last + 1) if first <= last else None


def _limited(domain: Domain, limit: Domain) -> Domain:
    """The values of a domain within a limit; the limit itself where there are none."""
    low, high = min(limit.corners(), default=None), max(limit.corners(), default=None)
    if low is None or high is None:
        return limit if isinstance(limit, Choice) else domain
    if isinstance(limit, Choice):
        allowed = set(limit.values)
        kept = [value for value in domain.points() if value in allowed]
        return Choice(*kept) if kept else limit
    if isinstance(domain, Choice):
        inside = [value for value in domain.values if not isinstance(value, str) and low <= value <= high]
        return Choice(*inside) if inside else limit
    first, last = max(low, min(domain.corners())), min(high, max(domain.corners()))
    return Ints(int(np.ceil(first)), int(last) + 1) if first <= last else limit
