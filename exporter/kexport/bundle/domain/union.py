"""One domain for several: their hull where they are ranges, all of their values where they are values."""

from __future__ import annotations

from collections.abc import Sequence

from kexport.bundle.domain.bins import Bins
from kexport.bundle.domain.choice import Choice
from kexport.bundle.domain.features import Features
from kexport.bundle.domain.protocol import FEW, Domain
from kexport.bundle.domain.ranges import Ints, Normal, Uniform
from kexport.bundle.domain.recording import Samples


def united(one: Domain, other: Domain) -> Domain:
    """A domain with the values of both; the first one where a recording is among them, or text and numbers are."""
    if str(one) == str(other) or isinstance(one, Samples) or isinstance(other, Samples):
        return one
    if isinstance(one, Features) or isinstance(other, Features):
        return _of_features(one, other)
    if isinstance(one, Choice) and isinstance(other, Choice):
        if one.is_text != other.is_text:
            return one
        return Choice(*spread(list(dict.fromkeys((*one.values, *other.values))), FEW))
    if any(isinstance(each, Choice) and each.is_text for each in (one, other)):
        return one
    if any(isinstance(each, Choice) for each in (one, other)) and one.is_discrete and other.is_discrete:
        points = [list(each.values if isinstance(each, Choice) else each.points()) for each in (one, other)]
        if all(points):
            return Choice(*spread(sorted({*points[0], *points[1]}, key=float), FEW))
    return _hull(one, other)


def plain(domain: Domain) -> Domain:
    """The same values, or more, as a kind of domain that every version of kexport reads."""
    if isinstance(domain, Bins):
        return Uniform(domain.limits[0], domain.limits[-1])
    if isinstance(domain, Features):
        whole = plain(domain.each[0])
        for each in domain.each[1:]:
            whole = united(whole, plain(each))
        return whole
    return domain


def spread(values: Sequence[float | str], most: int) -> list[float | str]:
    """At most so many of the values, evenly spread, the first and the last among them."""
    if len(values) <= most:
        return list(values)
    if most == 1:
        return [values[0]]
    return [values[round(index * (len(values) - 1) / (most - 1))] for index in range(most)]


def _hull(one: Domain, other: Domain) -> Domain:
    corners = [*one.corners(), *other.corners()]
    if not corners:
        return one
    low, high = min(corners), max(corners)
    if one.is_discrete and other.is_discrete and all(float(value).is_integer() for value in corners):
        return Ints(int(low), int(high) + 1)
    edges = {limit for each in (one, other) if isinstance(each, Bins) for limit in each.limits[1:-1]}
    if edges:
        return Bins(low, *sorted(edges - {low, high}), high)
    if isinstance(one, Normal) and isinstance(other, Normal):
        middle = (low + high) / 2
        return Normal(middle, (high - low) / 8)
    return Uniform(low, high) if low < high else one


def _of_features(one: Domain, other: Domain) -> Domain:
    pairs = [each.each if isinstance(each, Features) else None for each in (one, other)]
    count = max(len(each) for each in pairs if each is not None)
    a, b = (each or (domain,) * count for each, domain in zip(pairs, (one, other), strict=True))
    if len(a) != len(b):
        return one
    return Features(*map(united, a, b))
