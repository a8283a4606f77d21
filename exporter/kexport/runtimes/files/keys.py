"""What a file compares its inputs with: the keys of tables that look them up, and the thresholds of trees."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

#: The entry of keys that any input may meet whose dtype they have.
ANY = ""


@dataclass
class Keys:
    """What one input meets.

    Attributes:
        numbers: keys that are numbers, whole or real.
        texts: keys that are texts.
        edges: numbers with which each element is compared.
        thresholds: by the index along the last axis, what a tree compares that feature with.
    """

    numbers: dict[float, None] = field(default_factory=dict)
    texts: dict[str, None] = field(default_factory=dict)
    edges: dict[float, None] = field(default_factory=dict)
    thresholds: dict[int, set[float]] = field(default_factory=dict)

    def add(self, values: Iterable[float | str]) -> None:
        """Add keys of either kind."""
        for value in values:
            if isinstance(value, str):
                self.texts[value] = None
            else:
                self.numbers[value] = None

    def compare(self, values: Collection[float | str]) -> None:
        """Add what elements are compared with; texts are keys."""
        self.edges |= {value: None for value in values if not isinstance(value, str)}
        self.add(value for value in values if isinstance(value, str))

    def include(self, other: Keys) -> None:
        """Add those of another file."""
        self.add([*other.numbers, *other.texts])
        self.edges |= other.edges
        for feature, values in other.thresholds.items():
            self.thresholds.setdefault(feature, set()).update(values)


#: By the names of inputs as the file states them, or `ANY`.
FileKeys = Mapping[str, Keys]
