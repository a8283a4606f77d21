"""How far an output may be from the truth, as the manifest states it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from kexport.bundle.json_files import FieldError, member, number, optional, text
from kexport.bundle.json_text import JsonObject
from kexport.bundle.witnesses import Witness

#: The source of a limit that a person set.
DECLARED = "declared"
# A signal-to-error ratio bounds a mean square. The peak of a uniformly distributed error is sqrt(3) times its root mean
# square, and few other distributions exceed four times.
_CREST_FACTOR = 4.0
_MOST_DECIBELS = 1000.0  # double precision spans 600


@dataclass(frozen=True)
class OutputLimit:
    """How far an output may be from the truth, and where that limit comes from.

    Attributes:
        output: its name.
        scale: the largest magnitude of the truth over all goldens; distances are given relative to it.
        floor: the distance of Keras' own float32 result from the truth, relative to `scale`.
        limit: the largest allowed distance, relative to `scale`.
        source: how the floor was measured: `"float64 twin"`, `"one-ulp perturbation"` or `"exact"`; `"declared"` when
            a person set the limit.
        reason: why it was declared.
        decibels: the least allowed ratio of signal to error; when given, it replaces `limit`.
    """

    output: str
    scale: float
    floor: float
    limit: float
    source: str
    reason: str = ""
    decibels: float | None = None

    @property
    def absolute(self) -> float:
        """The largest allowed distance, in the unit of the output."""
        return self.limit * self.scale

    @property
    def sensitive(self) -> float:
        """An element that one unit in the last place moves by more, in the unit of the output, has its own limit."""
        return self.absolute / 2

    @property
    def amplitude(self) -> float:
        """The limit as an amplitude relative to `scale`: of a ratio in decibels, the root mean square of the error."""
        return self.limit if self.decibels is None else float(10.0 ** (-self.decibels / 20))

    @property
    def peak(self) -> float:
        """The largest error of a single element, relative to `scale`; a ratio in decibels bounds only the average."""
        return self.limit if self.decibels is None else _CREST_FACTOR * self.amplitude

    def of_one_case(self) -> OutputLimit:
        """The limit of a single case: a ratio in decibels is for many, and bounds the peak of each."""
        return self if self.decibels is None else replace(self, limit=self.peak, decibels=None)

    def widened_by(self, witness: Witness) -> OutputLimit:
        """The limit on a witness, where the model may be noisier than on the goldens; a declared limit stays."""
        if self.source == DECLARED:
            return self
        return replace(
            self,
            limit=max(self.limit, witness.limits[self.output]),
            scale=max(self.scale, witness.scales[self.output]),
        )

    def to_json(self) -> JsonObject:
        """The limit's entry in the manifest."""
        return {key: value for key, value in asdict(self).items() if value not in ("", None)}

    @classmethod
    def from_json(cls, data: JsonObject) -> OutputLimit:
        """The inverse of `to_json`; keys of a later writer are ignored.

        Raises:
            FieldError: an entry is missing or of the wrong type, or a ratio is none.
        """
        scale, floor, limit = (member(data, key, number) for key in ("scale", "floor", "limit"))
        decibels = member(data, "decibels", number) if "decibels" in data else None
        if decibels is not None and not 0 < decibels <= _MOST_DECIBELS:  # with no signal in it, anything would pass
            raise FieldError(("decibels",), f"is {decibels}, which is no ratio")
        texts = member(data, "output", text), member(data, "source", text), optional(data, "reason", text, "")
        return cls(texts[0], scale, floor, limit, *texts[1:], decibels)
