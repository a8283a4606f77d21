"""Sessions: the public call checks its inputs, the private one runs; safe from threads, and in forked processes."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import NoReturn, Protocol, overload

from kexport.bundle.quantization import AffineQuantization
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.errors import KexportError, RunError, UsageError, reason
from kexport.runtimes import _calls
from kexport.runtimes._turns import Turns

Run = Callable[[Sequence[Array]], Sequence[Array]]

_SHOWN = 3  # inputs, and outputs, in the text of a session
_OTHER_SIZES = "other sizes along its dynamic axes may work; else the artifact is damaged"
#: What LiteRT and XNNPACK say of an operator of integers whose steps are too small for its inputs and weights.
_TOO_FINE = ("no_integer_overflow_from_quantization", "failed to create XNNPACK runtime")
_HARDLY_MOVED = (
    "where it is of integers, results that are nearly 0 on all of the calibration have steps too small for a kernel:"
    " calibrate on inputs that move them (--samples, --domain), or leave out this precision (--precision)"
)


@dataclass(frozen=True)
class Opened:
    """A loaded artifact.

    Attributes:
        run: takes arrays in the order of the signature's inputs; returns arrays in the order of its outputs.
        inputs: what the artifact itself declares, in its own order.
        outputs: the names that it declares, in its own order.
        ordered: False when the format stores names without an order.
        reentrant: whether several threads may be inside `run` at once; by default one is let in at a time.
        close: ends what `run` needs, at once; None where it is enough to forget `run`.
        produced: dtype and shape of the outputs, as far as it declares them.
        foreign: outputs that are no tensors, each with its type, in words.
        remarks: what else it says about inputs and outputs, in words.
        signatures: the names of the functions in the artifact, where it has names for them; this is one of them.
        quantization: how the integers that it takes and returns stand for real numbers, by input and output.
        decided_by_values: the first operator that may run for long, take much or end the process, as the values or
            sizes of a call decide; empty where there is none, or where nobody looked.
    """

    run: Run
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[str, ...]
    ordered: bool = True
    reentrant: bool = False
    close: Callable[[], None] | None = None
    produced: tuple[TensorSpec, ...] = ()
    foreign: Mapping[str, str] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)
    signatures: tuple[str, ...] = ()
    quantization: Mapping[str, AffineQuantization] = field(default_factory=dict)
    decided_by_values: str = ""


class Recipe(Protocol):
    """How a session was loaded; another process loads it again from that. It can be pickled."""

    def require_repeatable(self, *, forked: bool) -> None:
        """Raise `UsageError` where another process, which may be a fork of this one, would not get the same model."""

    def load(self) -> Session:
        """Load it again."""


class Session:
    """A loaded model: call it with an array, or with a mapping of arrays by name.

    Several threads may call it, and one of them may close it. A process that is forked from this one, or that gets a
    pickle of the session, loads the model again. A `with` block closes it.

    Attributes:
        runtime: the name of the runtime.
        signature: names, dtypes and shapes of inputs and outputs.
        recipe: how it was loaded; None where only this process can use it.
    """

    def __init__(self, runtime: str, signature: Signature, opened: Opened) -> None:
        self.runtime = runtime
        self.signature = signature
        self.recipe: Recipe | None = None
        self._single = len(signature.outputs) == 1
        self._opened: Opened | None = opened
        self._run = opened.run
        self._turns = Turns(together=opened.reentrant)
        self._closed = False
        _LIVE.add(self)

    @property
    def opened(self) -> Opened:
        """The loaded artifact; raises `UsageError` when the session is closed."""
        if self._opened is None:
            self._refuse_closed(())
        return self._opened

    @property
    def quantization(self) -> Mapping[str, AffineQuantization]:
        """How the integers that the artifact takes and returns stand for real numbers, by input and output."""
        return self.opened.quantization

    @overload
    def __call__(self, inputs: Array, /) -> Array: ...
    @overload
    def __call__(self, inputs: Mapping[str, Array], /) -> dict[str, Array]: ...
    @overload
    def __call__(self, /, **named: Array) -> Array | dict[str, Array]: ...
    def __call__(
        self, inputs: Array | Mapping[str, Array] | None = None, /, **named: Array
    ) -> Array | dict[str, Array]:
        """Run the model.

        Args:
            inputs: an array, for a model with one input; or a mapping from input name to array.
            named: instead, the arrays by the names of the inputs: `model(image=..., meta=...)`.

        Returns:
            A mapping from output name to array when a mapping was passed or the model has several outputs;
            otherwise the array of the only output.

        Raises:
            InputError: a name, dtype or shape does not fit the signature, or an array is empty.
            RunError: the runtime fails on these inputs, or an output has not the dtype or shape that the bundle states.
            UsageError: the session is closed, or inputs were passed in both ways.
        """
        if inputs is not None and named:
            raise UsageError(
                "inputs were passed by position and by name",
                got=f"an unnamed value, and {', '.join(named)}",
                expected="one of the two: model({'a': x, 'b': y}) or model(a=x, b=y)",
            )
        arrays = self.signature.check(named if inputs is None else inputs)
        _calls.begin()
        try:
            outputs = self._turns.run(self._run, arrays)
        except KexportError:
            raise
        except Exception as error:  # a library may raise anything
            raise RunError(
                f"{self.runtime} cannot run the model on these inputs",
                got=reason(error),
                hint=_HARDLY_MOVED if any(each in str(error) for each in _TOO_FINE) else _OTHER_SIZES,
            ) from error
        finally:
            _calls.end()
        if self.recipe is not None:  # of a bundle: its manifest states what callers rely on
            self.signature.check_outputs(outputs)
        if self._single and not isinstance(inputs, Mapping):
            return outputs[0]
        return self.signature.named_outputs(outputs)

    def close(self) -> None:
        """Free the model. A call that another thread has begun ends as usual, or with a `KexportError`."""
        if self._closed:
            return
        self._closed = True
        opened, self._opened, self._run = self._opened, None, self._refuse_closed
        if opened is not None and opened.close is not None:
            opened.close()

    def __enter__(self) -> Session:
        if self._closed:
            self._refuse_closed(())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _refuse_closed(self, _: Sequence[Array]) -> NoReturn:
        raise UsageError(f"the model on {self.runtime} is closed", hint="load it again, or call it before it is closed")

    def __reduce__(self) -> tuple[Callable[[Recipe], Session], tuple[Recipe]]:
        if self._closed:
            self._refuse_closed(())
        return _load, (self._repeatable(forked=False),)

    def _repeatable(self, *, forked: bool) -> Recipe:
        """The recipe; raises `UsageError` where there is none, or where it would not give the same model."""
        if self.recipe is None:
            raise UsageError(
                "this session cannot be used in another process",
                got=repr(self),
                expected="one that kexport.load returned",
            )
        self.recipe.require_repeatable(forked=forked)
        return self.recipe

    def __copy__(self) -> NoReturn:
        raise UsageError(
            "a loaded model cannot be copied",
            got="a copy would share the memory of the runtime, and the state of the model",
            hint="share the session itself, which threads may, or load the bundle again",
        )

    def __deepcopy__(self, memo: object) -> NoReturn:
        self.__copy__()

    def begin_in_fork(self) -> None:
        """In a process that was just forked: keep off what belongs to the parent, and load anew at the first call."""
        self._turns = Turns(together=False)
        if self._opened is not None:
            _keep_for_ever(self._opened)
            self._run = self._run_anew

    def _run_anew(self, arrays: Sequence[Array]) -> Sequence[Array]:
        opened = self._repeatable(forked=True).load().opened
        self._opened, self._run = opened, opened.run  # the lock stays: it is held
        if self._closed:  # meanwhile
            self._closed = False
            self.close()
        return self._run(arrays)

    def __repr__(self) -> str:
        inputs, outputs = map(_brief, (self.signature.inputs, self.signature.outputs))
        return f"<{'closed ' if self._closed else ''}model on {self.runtime}: {inputs} -> {outputs}>"


_LIVE: weakref.WeakSet[Session] = weakref.WeakSet()


def _load(recipe: Recipe) -> Session:
    """What a pickle calls."""
    return recipe.load()


def _brief(specs: Sequence[TensorSpec]) -> str:
    shown = [f"{spec.name}: {spec}" for spec in specs[:_SHOWN]]
    if len(specs) > _SHOWN:
        shown.append(f"{len(specs) - _SHOWN} more")
    return ", ".join(shown)


def _keep_for_ever(inherited: Opened) -> None:
    """Never free what was inherited: ONNX Runtime would wait for threads that a fork does not have."""
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(inherited))


def _begin_in_fork() -> None:
    for session in list(_LIVE):
        session.begin_in_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_fork)
