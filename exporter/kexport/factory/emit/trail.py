"""What has been emitted of a program, so that any name which a converter reports leads back to the user's layer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from kexport.errors import ExportError, reason
from kexport.factory.emit.culprit import Culprit
from kexport.factory.emit.refusal import leaving_out, refusal
from kexport.factory.graph.protocols import Operation
from kexport.factory.internal_error import fault
from kexport.runtimes.keras_model import strip_by_operation

#: The dtype for which a format has an operation that it lacks for the operation's own; None if there is none.
OtherDtype = Callable[[Operation], str | None]


@dataclass
class Trail:
    """The operations of a program in the order they are emitted, and whose they are.

    Attributes:
        scopes: for each scope in the graph, the layer or operation that opened it, in words; for "", the model.
        lines: for each operation, by its name in the new graph, the line of the user's own code that made it, or "".
        recurrent: the recurrent layers among those of the scopes.
        layers: whether the program is a model of layers, not a function of a SavedModel.
        current: the operation at work, by its name in the new graph.
    """

    scopes: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict)
    recurrent: frozenset[str] = frozenset()
    layers: bool = True
    current: str = ""
    _emitted: dict[str, Operation] = field(default_factory=dict)

    def begin(self, name: str, op: Operation) -> None:
        """Note that an operation is emitted from now on, under this name."""
        self._emitted[name] = op
        self.current = name

    def at(self, name: str) -> None:
        """Note that a converter fails at this operation."""
        self.current = name

    def culprit(self, kind: str, name: str) -> Culprit:
        """Whose operation a name in the new graph, or in what a converter made of it, is."""
        found = _within(name, self._emitted)
        line = self.lines.get(_within(found or name, self.lines)) or None
        layer = layer_of(found or name, self.scopes)
        culprit = Culprit.of(kind, self._emitted.get(found), layer, line, layer in self.recurrent)
        return replace(culprit, strip=strip_by_operation(name))

    def refused(
        self, format_name: str, why: str, operations: Iterable[tuple[str, str]], other_dtype: OtherDtype | None = None
    ) -> ExportError:
        """The error for operations that a format lacks.

        Args:
            format_name: the name of the format.
            why: the reason, in a few words.
            operations: type of each, and its name in the new graph, or in what a converter made of it.
            other_dtype: tells for which other dtype the format has an operation.
        """
        culprits: dict[Culprit, Operation | None] = {}
        for kind, name in operations:
            culprits.setdefault(self.culprit(kind, name), self._emitted.get(_within(name, self._emitted)))
        if other_dtype is None:
            return refusal(format_name, why, [*culprits], self.layers)
        tried = [
            replace(culprit, writable_as=other_dtype(op)) if op is not None and op.type == culprit.kind else culprit
            for culprit, op in culprits.items()
        ]
        return refusal(format_name, why, tried, self.layers)

    def failed(self, format_name: str, error: Exception) -> ExportError:
        """The error for an exception that nobody foresaw, with the operation at work.

        Where a converter's own code raises it at an operation, the converter cannot write that operation.
        """
        found = _within(self.current, self._emitted)
        converter = _raised_in(error) if found else ""
        if converter:
            why = f"{converter} fails at an operation ({reason(error)})"
            return self.refused(format_name, why, [(self._emitted[found].type, found)])
        where = self.culprit(self._emitted[found].type, found).words if found else ""
        way = leaving_out(format_name, layers=self.layers)
        return fault(f"the {format_name} converter failed on the model", error, way, where)

    def own_lines(self, most: int = 5) -> list[str]:
        """Where the user's own code made an operation that was emitted: the layers, and the lines."""
        culprits = (self.culprit(op.type, name) for name, op in self._emitted.items())
        return [*dict.fromkeys(culprit.place for culprit in culprits if culprit.line)][:most]

    def finished(self) -> None:
        """Note that every operation has been emitted: what fails from now on is no single one's fault."""
        self.current = ""


_CONVERTERS = ("tf2onnx",)


def _raised_in(error: BaseException) -> str:
    """The converter that an exception was raised in the code of, or in onnx, by which it writes; else none, ""."""
    packages, frame = [], error.__traceback__
    while frame is not None:
        packages.append(frame.tb_frame.f_globals.get("__name__", "").partition(".")[0])
        frame = frame.tb_next
    innermost = next((name for name in reversed(packages) if name != "onnx"), "")
    return innermost if innermost in _CONVERTERS else ""


def _within(name: str, operations: Mapping[str, object]) -> str:
    """The operation that a name stands for: itself, or one that a lowering or a converter took apart; or none, ""."""
    parts = _parts(name)
    for start in range(len(parts)):
        for end in range(len(parts), start, -1):
            if (found := "/".join(parts[start:end])) in operations:
                return found
    return ""


def layer_of(name: str, scopes: Mapping[str, str]) -> str:
    """The layer, or the operation of a functional model, that a name in the graph comes from, in words.

    It is the innermost that opened a scope around the name. A converter may have put its own scopes before the
    graph's, and a called function puts its caller's there: then it is the one whose scope ends with the same names.
    """
    parts = _parts(name)
    for end in range(len(parts), 0, -1):
        for start in range(end):
            if (layer := scopes.get("/".join(parts[start:end]))) is not None:
                return layer
    return scopes.get("", "the model itself")


def _parts(name: str) -> list[str]:
    """The parts of a name, without the function that TensorFlow's converter puts behind it and tf2onnx before it."""
    return re.split(r"[/;]", re.sub(r"^__inference_body_\d+_", "", name.partition("@")[0]))
