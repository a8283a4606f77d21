"""The texts in reports: facts of a check, and notes beside the checks. Code depends on codes, never on texts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from kexport.bundle.json_files import mapping, member, text
from kexport.bundle.json_text import Json


class FactCode(str, Enum):
    """What a fact states, where code depends on it."""

    IDENTICAL = "identical"
    OTHER_CODE = "other-code"  # the code that was loaded is not what the bundle was built with

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class CodedFact:
    """A fact that code depends on.

    Attributes:
        code: what it states.
        text: the same in words.
    """

    code: FactCode
    text: str

    def __str__(self) -> str:
        return self.text


#: One thing that a person should know about a check: text, with a code where code depends on it.
Fact: TypeAlias = str | CodedFact

#: No element of the output differs from the reference.
IDENTICAL = CodedFact(FactCode.IDENTICAL, "identical")


@dataclass(frozen=True)
class RuntimeNote:
    """A note about one runtime, such as that it was left out because it is not installed.

    Attributes:
        runtime: its name.
        text: what a reader should know about it, without the name.
    """

    runtime: str
    text: str

    def __str__(self) -> str:
        return f"{self.runtime} {self.text}"


#: A note for the reader beside the checks.
Note: TypeAlias = str | RuntimeNote


def fact_to_json(fact: Fact) -> Json:
    """A fact in a report: its text, or an object with code and text."""
    return {"code": fact.code.value, "text": fact.text} if isinstance(fact, CodedFact) else fact


def fact_from_json(data: Json) -> Fact:
    """The inverse of `fact_to_json`; a code that only a later version knows is left out, and the text stays.

    Raises:
        FieldError: it is neither text nor a fact.
    """
    if isinstance(data, str):
        return data
    entry = mapping(data)
    words, code = member(entry, "text", text), member(entry, "code", text)
    return CodedFact(FactCode(code), words) if code in [code.value for code in FactCode] else words
