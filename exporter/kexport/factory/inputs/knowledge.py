"""What a layer, or an operation of the graph, knows of the values that it takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kexport.bundle.domain import Bins, Choice, Domain, Ints, Uniform
from kexport.bundle.signature import Array
from kexport.factory.inputs import vocabulary

_DEVIATIONS = 3
_IMAGE_LEVELS = (255, 256, 65535, 65536)


@dataclass(frozen=True)
class Knowledge:
    """What is known of the values of a tensor.

    Attributes:
        origin: where that is known from, in words.
        domain: the values; None where each element has its own range.
        lows: the lower end of each element's range, in a shape that the tensor's shape broadcasts.
        highs: the upper end.
        strict: whether other values make the model fail.
        coarse: whether the ends of ranges are estimates, which may be rounded outwards.
    """

    origin: str
    domain: Domain | None = None
    lows: Array | None = None
    highs: Array | None = None
    strict: bool = False
    coarse: bool = False

    def of_elements(self, chosen: Array) -> Domain | None:
        """The domain of all elements that a mask of the tensor's shape chooses."""
        if self.lows is None or self.highs is None:
            return self.domain
        try:
            low, high = (np.broadcast_to(each, chosen.shape)[chosen] for each in (self.lows, self.highs))
        except ValueError:  # it is unknown where the elements come from
            low, high = self.lows, self.highs
        ends = float(low.min()), float(high.max())
        if ends[0] == ends[1]:
            return Choice(ends[0])
        return _rounded(*ends) if self.coarse else _exact(*ends)


def of_layer(layer: Any, dtype: str) -> Knowledge | None:
    """What a layer knows of a tensor of this dtype that it takes; None where that is nothing."""
    kind = next((base.__name__ for base in type(layer).__mro__ if base.__name__ in _KINDS), "")
    found = _KINDS[kind](layer, dtype) if kind else None
    return found if found is None or found.domain is not None or found.lows is not None else None


def _rounded(low: float, high: float) -> Domain | None:
    """The range, its ends rounded outwards to a hundredth of its width; None where it is none."""
    width = high - low
    if not (math.isfinite(width) and width > 0):
        return None
    digits = 1 - math.floor(math.log10(width))
    step = 10.0**-digits
    ends = round(math.floor(low / step + 1e-6) * step, digits), round(math.ceil(high / step - 1e-6) * step, digits)
    return Uniform(*ends) if ends[0] < ends[1] else Uniform(low, high)


def _exact(low: float, high: float) -> Domain | None:
    """The range, without the digits that only rounding made; None where it is none."""
    low, high = (float(f"{end:.7g}") for end in (low, high))
    return Uniform(low, high) if math.isfinite(high - low) and low < high else None


def _normalization(layer: Any, dtype: str) -> Knowledge | None:
    if layer.invert:
        return Knowledge(f"the deviations that layer {layer.name!r} inverts", Uniform(-_DEVIATIONS, _DEVIATIONS))
    given = getattr(layer, "input_mean", None) is not None  # what Keras makes of it may belong to another graph
    mean = layer.input_mean if given else getattr(layer, "mean", None)
    variance = layer.input_variance if given else getattr(layer, "variance", None)
    if mean is None or variance is None:
        return None
    mean, variance = np.asarray(mean, np.float64), np.asarray(variance, np.float64)
    if given and mean.ndim == 1 and mean.size > 1:
        mean, variance = (_along(layer, each) for each in (mean, variance))
    half = _DEVIATIONS * np.sqrt(np.maximum(variance, 0))
    # What float32 cannot tell from a constant stays one: the layer divides by next to nothing there.
    least = np.maximum(8 * 2.0**-23 * np.abs(mean), 1e-6)
    half = np.where(half < least, 0.0, half) if (half >= least).any() else least
    return Knowledge(
        f"{_DEVIATIONS} deviations around the mean of layer {layer.name!r}",
        lows=mean - half,
        highs=mean + half,
        coarse=True,
    )


def _along(layer: Any, values: Array) -> Array:
    """Values of the only axis that the layer keeps, in a shape that its input broadcasts."""
    shape = getattr(layer, "_broadcast_shape", None)
    return values.reshape(shape) if shape is not None and np.prod(shape) == values.size else values


def _rescaling(layer: Any, dtype: str) -> Knowledge | None:
    scale, offset = (np.asarray(each, np.float64) for each in (layer.scale, layer.offset))
    if not np.all(scale) or not np.isfinite(scale).all() or not np.isfinite(offset).all():
        return None
    levels = np.round(1 / np.abs(scale)).astype(np.int64)
    image = np.isin(levels, _IMAGE_LEVELS) & (scale > 0)
    # Images begin at black: a negative offset maps that to the lower end.
    lows = np.where(offset == 0, np.where(image, 0.0, -1.0), np.where(offset < 0, offset, offset - 1))
    highs = np.where(offset == 0, 1.0, np.where(offset < 0, -offset, offset + 1))
    inverted = (scale < 0) & (offset > 0)  # 1 - x / 255
    lows, highs = np.where(inverted, 0.0, lows), np.where(inverted, offset, highs)
    ends = np.stack(np.broadcast_arrays((lows - offset) / scale, (highs - offset) / scale))
    return Knowledge(f"what layer {layer.name!r} scales", lows=ends.min(axis=0), highs=ends.max(axis=0))


def bins(edges: Any, origin: str) -> Knowledge | None:
    """What bins with these edges know."""
    limits = np.unique(np.asarray(edges, np.float64).ravel())
    limits = limits[np.isfinite(limits)]
    if not limits.size:
        return None
    margin = float(np.median(np.diff(limits))) if limits.size > 1 else max(1.0, abs(float(limits[0])))
    return Knowledge(origin, Bins(limits[0] - margin, *limits, limits[-1] + margin))


def _discretization(layer: Any, dtype: str) -> Knowledge | None:
    if layer.bin_boundaries is None:
        return None
    return bins(layer.bin_boundaries, f"the span of the bins of layer {layer.name!r}")


def _unknown(layer: Any) -> int:
    return 0 if layer.num_oov_indices == 0 else 1 + min(8, 2 * (layer.num_oov_indices - 1)) + 1


def _indices(layer: Any) -> Knowledge:
    return Knowledge(
        f"the indices of the vocabulary of layer {layer.name!r}", Ints(0, max(1, layer.vocabulary_size())), strict=True
    )


def _integer_lookup(layer: Any, dtype: str) -> Knowledge | None:
    return _lookup(layer, int, vocabulary.of_integers)


def _string_lookup(layer: Any, dtype: str) -> Knowledge | None:
    return _lookup(layer, str, vocabulary.of_texts)


def _lookup(layer: Any, kind: Callable[[Any], Any], of_keys: Callable[..., Domain | None]) -> Knowledge:
    if layer.invert:
        return _indices(layer)
    keys = [kind(key) for key in layer.get_vocabulary(include_special_tokens=False)]
    others = [] if layer.mask_token is None else [kind(layer.mask_token)]
    return Knowledge(_vocabulary_of(layer), of_keys(keys, _unknown(layer), others), strict=not layer.num_oov_indices)


def _text_vectorization(layer: Any, dtype: str) -> Knowledge | None:
    keys = [str(key) for key in layer.get_vocabulary(include_special_tokens=False)]
    join = vocabulary.joint(layer._split)
    domain = vocabulary.of_texts(keys, 2, [""]) if join is None else vocabulary.of_sentences(keys, join, 2)
    return Knowledge(_vocabulary_of(layer), domain)


def _vocabulary_of(layer: Any) -> str:
    return f"what layer {layer.name!r} knows" + (", and unknown values" if getattr(layer, "num_oov_indices", 1) else "")


def _category_encoding(layer: Any, dtype: str) -> Knowledge | None:
    return Knowledge(f"the num_tokens of layer {layer.name!r}", Ints(0, int(layer.num_tokens)), strict=True)


def _hashing(layer: Any, dtype: str) -> Knowledge | None:
    domain = vocabulary.of_hashed(int(layer.num_bins), dtype == "string")
    return Knowledge(f"enough for the bins of layer {layer.name!r}", domain)


def _embedding(layer: Any, dtype: str) -> Knowledge | None:
    return Knowledge("the input_dim of the Embedding that it feeds", Ints(0, int(layer.input_dim)), strict=True)


_KINDS = {
    "Normalization": _normalization,
    "Rescaling": _rescaling,
    "Discretization": _discretization,
    "IntegerLookup": _integer_lookup,
    "StringLookup": _string_lookup,
    "TextVectorization": _text_vectorization,
    "CategoryEncoding": _category_encoding,
    "Hashing": _hashing,
    "HashedCrossing": _hashing,
    "Embedding": _embedding,
}
