"""Keys of vocabularies as domains: every one where they are few, with unknown ones beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kexport.bundle.domain import FEW, Choice, Domain, Ints, spread

_MOST_KEYS = FEW - 16
_MOST_CHARACTERS = 20_000
_UNKNOWN_TEXTS = ("unknown", "caf\u00e9 42", "zzz", "Hello", "0")
_UNKNOWN_WORDS = ("unknown", "zzz", "qwerty", "0")
_TOKENS_IN_A_ROW = 12


def of_texts(keys: Sequence[str], unknown: int, others: Sequence[str] = ()) -> Domain | None:
    """The keys and a number of texts that are none; None where there is neither.

    Args:
        keys: the texts that are known.
        unknown: how many others to add.
        others: texts with a meaning of their own, such as the one for masked inputs.
    """
    kept = _within(keys, _MOST_KEYS)
    strange = [text for text in _unknown_texts(unknown) if text not in set(keys)][:unknown]
    values = list(dict.fromkeys([*kept, *others, *strange]))
    return Choice(*values) if values else None


def of_integers(keys: Sequence[int], unknown: int, others: Sequence[int] = ()) -> Domain | None:
    """The keys and a number of integers that are none; None where there is neither.

    An unknown one lies between keys where there is a gap: the ends of the domain are known ones then.
    """
    if not keys:
        return Choice(*dict.fromkeys([*others, *range(unknown)])) if others or unknown else None
    known = {*keys, *others}
    ordered = sorted(keys)
    if not others and not unknown and ordered[-1] - ordered[0] == len(ordered) - 1:
        return Ints(ordered[0], ordered[-1] + 1)
    gaps = [key + 1 for key in ordered[:-1] if key + 1 not in known]
    beyond = [value for value in range(ordered[-1] + 1, ordered[-1] + 1 + unknown) if value not in known]
    strange = [*(spread(gaps, unknown) if unknown else []), *beyond][:unknown]
    return Choice(*dict.fromkeys([*spread(ordered, _MOST_KEYS), *others, *strange]))


def of_sentences(keys: Sequence[str], join: str, unknown: int) -> Domain | None:
    """Each key alone while they are few, and rows of several keys: the words that a text is split into.

    Args:
        keys: the words.
        join: what lies between two words of a text.
        unknown: how many other words to add.
    """
    words = [*keys, *[text for text in _UNKNOWN_WORDS if text not in set(keys)][:unknown]]
    alone = _within(words, FEW // 2) if len(words) <= FEW // 2 else []
    order = np.random.default_rng(0).permutation(len(words)).tolist()
    rows = [
        join.join(words[index] for index in order[start : start + _TOKENS_IN_A_ROW])
        for start in range(0, len(order), _TOKENS_IN_A_ROW)
    ]
    texts = list(dict.fromkeys([*alone, *_within(rows, FEW // 2 - 2), ""]))
    return Choice(*texts) if texts else None


def of_hashed(bins: int, text: bool) -> Domain:
    """Values enough that a hash meets nearly every one of so many bins."""
    count = int(min(_MOST_KEYS, max(8, 4 * bins)))
    return Choice(*(f"value {index}" for index in range(count))) if text else Ints(0, count)


def _within(texts: Sequence[str], most: int) -> list[str]:
    """Evenly spread texts, as many as a manifest has room for."""
    kept = [str(text) for text in spread(texts, most)]
    while len(kept) > 2 and sum(map(len, kept)) > _MOST_CHARACTERS:
        kept = [str(text) for text in spread(kept, len(kept) // 2)]
    return kept


def _unknown_texts(count: int) -> list[str]:
    return [*_UNKNOWN_TEXTS, *(f"unknown {index}" for index in range(count))]


Split = str | Callable[..., object] | None


def joint(split: Split) -> str | None:
    """What lies between the words of a text that is split so; None where that is unknown."""
    return {"whitespace": " ", "character": ""}.get(split) if isinstance(split, str) else None
