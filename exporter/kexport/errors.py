"""Every error that kexport raises on purpose, with the exit code of a command that it ends.

A message states one fact per line: the subject, the actual value, the expected one, and a hint.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Any

from kexport.code_places import raised_at
from kexport.visible import visible

FAILED = 1
USAGE = 2
UNCHECKED = 3
INTERRUPTED = 130


class KexportError(Exception):
    """Base of all errors raised on purpose.

    Args:
        subject: what is wrong, in one line.
        got: the actual value.
        expected: the right value.
        hint: what to do about it.
    """

    exit_code = USAGE

    def __init__(self, subject: str, *, got: object = None, expected: object = None, hint: str | None = None) -> None:
        self.facts: dict[str, object] = {"got": got, "expected": expected, "hint": hint}
        self.subject = subject
        lines = [subject]
        for label, fact in self.facts.items():
            if fact is not None:
                lines.append(f"  {label + ':':<10}{fact}")
        super().__init__(visible("\n".join(lines)))

    def restate(self, words: Callable[[str], str]) -> None:
        """Say it in other words: every text of it goes through `words`."""
        facts: dict[str, Any] = {key: None if fact is None else words(str(fact)) for key, fact in self.facts.items()}
        KexportError.__init__(self, words(self.subject), **facts)


class UsageError(KexportError):
    """The request is wrong: an unknown name, a setting of the wrong type, a target that cannot be written."""


class ImportFailedError(UsageError):
    """The code of a file or module that was to be imported fails, or ends its process."""


class InputError(KexportError):
    """Data does not fit the model's signature."""


class BundleError(KexportError):
    """A bundle or one of its files cannot be read."""


class ArtifactError(KexportError):
    """An artifact is missing or is not the file that the manifest describes."""

    exit_code = FAILED


class RunError(KexportError):
    """A runtime fails while it runs an artifact."""

    exit_code = FAILED


class AuthenticityError(KexportError):
    """A bundle is not signed, not with the key that was asked for, or is not what was signed."""

    exit_code = FAILED


class ProcessDiedError(KexportError):
    """The process that served a model ended, or cannot be understood any more."""

    exit_code = FAILED


class ExportError(KexportError):
    """The model cannot be exported to a format."""

    exit_code = FAILED


class ModelError(KexportError):
    """The model cannot be loaded or described."""


class UncheckedError(KexportError):
    """A requested check could not be run here."""

    exit_code = UNCHECKED


class MissingRuntimeError(UncheckedError):
    """A requested runtime is not installed."""


class MissingCodeError(ModelError):
    """A model needs code that was not given, or that may not run; the model itself may be right."""

    exit_code = UNCHECKED


class MissingExtraError(KexportError):
    """A part of kexport needs packages that are not installed."""


_CLEARLY = 0.85  # likeness of a slip of the finger
#: What people call things of ours, by the names that they use.
_ALSO_CALLED = {
    "tf": ("saved_model",), "tensorflow": ("saved_model",), "savedmodel": ("saved_model",), "pb": ("saved_model",),
    "ort": ("onnxruntime",), "onnx": ("onnxruntime",), "onnx_runtime": ("onnxruntime",),
    "tflite": ("litert",), "tf_lite": ("litert", "tflite"), "litert": ("tflite",), "lite": ("litert", "tflite"),
    "h5": ("keras",), "hdf5": ("keras",), "tflm": ("litert_reference",),
    "fp16": ("float16",), "half": ("float16",), "f16": ("float16",), "fp32": ("float32",), "single": ("float32",),
    "uint8": ("int8",), "int4": ("int8",), "int16": ("int16x8",), "qint8": ("int8",), "quantized": ("int8",),
    "acc": ("accuracy",), "mse": ("rmse",), "top_5": ("top5",), "f1_score": ("f1",),
}  # fmt: skip


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint with the existing names nearest to `name`, or with all of them if none is near."""
    existing = sorted(names)
    return near(name, existing) or "known: " + (", ".join(existing) or "none")


def near(name: str, names: Iterable[str]) -> str | None:
    """A hint with the existing names nearest to `name`, if one is near."""
    existing = sorted(names)
    meant = [each for each in _ALSO_CALLED.get(name.lower(), ()) if each in existing]
    if meant:
        return f"did you mean {meant[0]}?"
    if same := [each for each in existing if each.lower() == name.lower()]:
        return f"did you mean {same[0]}?"
    close = difflib.get_close_matches(name, existing, n=3, cutoff=0.5)
    if close and difflib.SequenceMatcher(None, close[0], name).ratio() > _CLEARLY:
        close = close[:1]
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return None


def unknown(kind: str, name: str, names: Iterable[str]) -> UsageError:
    """The error for a name of some kind that does not exist; `names` are the existing ones."""
    existing = sorted(names)
    expected = "one of " + ", ".join(existing)
    return UsageError(f"unknown {kind} {name!r}", expected=expected, hint=near(name, existing))


def require_known(name: str, existing: Iterable[str], subject: str, got: object = None) -> None:
    """Raise `UsageError` unless a name exists.

    Args:
        name: the name, as it was given.
        existing: the existing names, in the order in which the error lists them.
        subject: the subject of the error.
        got: the actual value in the error, if the subject does not contain the name.
    """
    names = list(existing)
    if name not in names:
        raise UsageError(subject, got=got, expected="one of " + ", ".join(names), hint=near(name, names))


#: What Keras, and TensorFlow where a graph fails, say before the reason.
_PREAMBLE = re.compile(
    r"Exception encountered when calling|Graph execution error:$|Detected at node .* defined at|"
    r"<stack traces unavailable>$|File \".*\", line \d+, in |\[Previous line repeated \d+ more times?\]$|"
    r"\d+ root error\(s\) found"
)


def reason(error: BaseException) -> str:
    """The type of an exception and the first informative line of its message, without colours and preambles."""
    # The text of a KeyError is the repr of its key.
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(text))
    text = re.split(r"(?:Exception|Error) encountered:\s", text)[-1]  # Keras nests causes, the first one last
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if not _PREAMBLE.match(line)]
    first = (telling or lines or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def located(error: BaseException) -> str:
    """The reason of an exception, with the file and line of the user's code that raised it, if any did."""
    place = raised_at(error)
    return f"{reason(error)} ({place})" if place else reason(error)
