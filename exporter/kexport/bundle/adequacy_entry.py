"""What the goldens of a bundle can see of its model, and what they cannot, as the manifest holds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from kexport.bundle.json_files import list_of, member, object_of, optional, text, text_map, texts, whole
from kexport.bundle.json_text import Json, JsonObject

_NAMED = 6  # numbers of a list in words; the manifest holds more
MOST_NUMBERS = 64  # of a list in the manifest


class Standing(str, Enum):
    """What follows from something unseen."""

    OPEN = "open"  # some input could see it, and no golden does: not checked
    PARTIAL = "partial"  # a part of a tensor, or a change of a hundredth but no larger one
    DEAD = "dead"  # nothing that was tried sees it, or nothing that the recorded data allow
    DECLARED = "declared"  # a person said why it is not seen

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Unseen:
    """Something in the model that may change without any golden showing it.

    Attributes:
        subject: `"conv_2/kernel"`, `"lookup/vocabulary"`, or `"output y"`.
        standing: what follows from it.
        why: the reason, in words.
        part: which part of it: `"channels"`, `"rows"`, `"entries"`; empty for all of it.
        numbers: which of them, the first `MOST_NUMBERS`.
        count: how many are unseen.
        of: how many there are.
    """

    subject: str
    standing: Standing
    why: str
    part: str = ""
    numbers: tuple[int | str, ...] = ()
    count: int = 0
    of: int = 0

    @property
    def where(self) -> str:
        """The subject and its part: `conv_2/kernel: channels 3, 7, 12 of 32`."""
        if not self.part:
            return self.subject
        listed = ", ".join(map(str, self.numbers[:_NAMED]))
        listed = f" {listed}" if self.count <= _NAMED else f" {listed} and {self.count - _NAMED} more"
        return f"{self.subject}: {self.part}{listed} of {self.of}" if self.numbers else f"{self.subject}: {self.part}"

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"

    def to_json(self) -> dict[str, Json]:
        """Its entry in the manifest."""
        entry: dict[str, Json] = {"subject": self.subject, "standing": self.standing.value, "why": self.why}
        if self.part:
            entry |= {"part": self.part, "numbers": list(self.numbers), "count": self.count, "of": self.of}
        return entry

    @classmethod
    def from_json(cls, data: JsonObject) -> Unseen:
        """The inverse of `to_json`.

        Raises:
            FieldError: an entry is missing or of the wrong type.
        """
        subject, why, part = member(data, "subject", text), member(data, "why", text), optional(data, "part", text, "")
        numbers = optional(data, "numbers", list_of(_number_or_name), ())
        count, of = optional(data, "count", whole, 0), optional(data, "of", whole, 0)
        return cls(subject, member(data, "standing", Standing), why, part, numbers, count, of)


def _number_or_name(value: Json) -> int | str:
    return value if isinstance(value, str) else whole(value)


@dataclass(frozen=True)
class AdequacyEntry:
    """What the goldens can see of the model.

    Attributes:
        weights: how many numbers the traced function reads from weights.
        seen: how many of them some golden sees.
        unseen: what no golden sees.
        declared: the reasons that a person gave, by layer, weight or output.
        notes: what could not be measured, and what was done about it.
    """

    weights: int
    seen: int
    unseen: tuple[Unseen, ...] = ()
    declared: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def share(self) -> float | None:
        """The share of the weights that is seen; None for a model without weights."""
        return self.seen / self.weights if self.weights else None

    def lines(self, *standings: Standing) -> Iterator[str]:
        """What is unseen and has one of these standings, in words; whole weights of one reason share a line."""
        found = self.standing(*standings)
        whole: dict[str, list[str]] = {}
        for each in found:
            if not each.part:
                whole.setdefault(each.why, []).append(each.subject)
        for why, names in whole.items():
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            yield f"{', '.join(names[:_NAMED])}{more}: {why}"
        yield from (str(each) for each in found if each.part)

    def standing(self, *standings: Standing) -> list[Unseen]:
        """What is unseen and has one of these standings."""
        return [each for each in self.unseen if each.standing in standings]

    def to_json(self) -> dict[str, object]:
        """The entry in the manifest."""
        return {
            "weights": self.weights,
            "seen": self.seen,
            "unseen": [each.to_json() for each in self.unseen],
            **({"declared": dict(self.declared)} if self.declared else {}),
            **({"notes": list(self.notes)} if self.notes else {}),
        }

    @classmethod
    def from_json(cls, data: JsonObject) -> AdequacyEntry:
        """The inverse of `to_json`.

        Raises:
            FieldError: an entry is missing or of the wrong type.
        """
        return cls(
            member(data, "weights", whole),
            member(data, "seen", whole),
            member(data, "unseen", list_of(object_of(Unseen.from_json))),
            optional(data, "declared", text_map, {}),
            optional(data, "notes", texts, ()),
        )
