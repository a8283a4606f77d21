"""The model of a bundle, in a process that is confined as those of its artifacts are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from kexport.bundle import packed_arrays
from kexport.bundle.folder import Bundle
from kexport.bundle.json_files import FieldError
from kexport.bundle.signature import Array
from kexport.errors import ModelError, UncheckedError, reason
from kexport.factory.localisation import truths_in_worker
from kexport.factory.localisation.layer_output import LayerTruth
from kexport.field.trust import Trust
from kexport.parity.localised_bundle import ModelFault
from kexport.process import Worker, WorkerCrashError, WorkerLimitError

_SUBJECT = "the .keras artifact does not run"


class Truths(Protocol):
    """The truth of the layers of a model, such as `LayerTruths`, here or in another process."""

    @property
    def source(self) -> str:
        """What the limits come from."""
        ...

    @property
    def outputs(self) -> Mapping[str, str]:
        """The tensor of the traced graph behind each output of the model."""
        ...

    def of(self, feeds: Mapping[str, Array]) -> list[LayerTruth]:
        """The truth of the layers on these inputs, in Keras' order."""
        ...

    def intervened(
        self, feeds: Mapping[str, Array], layer: str, index: int, value: Array, seen: str
    ) -> list[Array] | None:
        """What the layer `seen` gives if one output of another had this value; None where that cannot be run."""
        ...


class ModelProbe:
    """The model of a bundle in a process of its own, which starts to import Keras at once.

    Attributes:
        source: what the limits come from.
        outputs: the tensor of the traced graph behind each output of the model.
        model_faults: layers whose results differ between two calls of the model on the same inputs.
        differences: where the code that the model was loaded with is not what the bundle was built with, in words.

    Args:
        bundle: holds the `.keras` file, whose digest was checked.
        trust: what may run of it.
    """

    def __init__(self, bundle: Bundle, trust: Trust) -> None:
        self._bundle = bundle
        self._trust = trust.expecting(bundle.manifest.code)
        confinement = trust.confinement(bundle.artifact_bytes, bundle.goldens_bytes)
        self._worker = Worker(["tensorflow", "keras"], confinement=confinement)
        self.source = ""
        self.outputs: Mapping[str, str] = {}
        self.model_faults: tuple[ModelFault, ...] = ()
        self.differences: list[str] = []

    def trace(self, path: str, feeds: Mapping[str, Array]) -> None:
        """Load the model, and trace it on these inputs.

        Raises:
            ModelError: the file is damaged, or the model does not take the inputs of the bundle.
            MissingCodeError: code that the file needs was not given, or may not run.
            UncheckedError: that takes more time or memory than it may.
        """
        signature, trust = self._bundle.signature.to_json(), self._trust.to_json()
        (found,) = self._run("trace", feeds, [], path=path, signature=signature, trust=trust)
        self.outputs, self.differences = found["outputs"], found["differences"]
        self.model_faults = tuple(ModelFault(**fault) for fault in found["faults"])

    def of(self, feeds: Mapping[str, Array]) -> list[LayerTruth]:
        """The truth of the layers on these inputs, in Keras' order.

        Raises:
            ModelError: the model fails on them.
            UncheckedError: that takes more time or memory than it may.
        """
        self.source, layers, described, content = self._run("of", feeds, [])
        try:
            return truths_in_worker.layer_truths(layers, packed_arrays.unpacked(described, content))
        except (FieldError, KeyError, StopIteration, TypeError, ValueError) as error:
            raise ModelError(_SUBJECT, got=f"an unreadable answer: {reason(error)}") from None

    def intervened(
        self, feeds: Mapping[str, Array], layer: str, index: int, value: Array, seen: str
    ) -> list[Array] | None:
        """What the layer `seen` gives if one output of another had this value; None where that cannot be run."""
        runs, described, content = self._run("intervened", feeds, [value], layer=layer, index=index, seen=seen)
        return packed_arrays.unpacked(described, content) if runs else None

    def _run(self, task: str, feeds: Mapping[str, Array], further: Sequence[Array], **args: object) -> list[Any]:
        arrays = [*feeds.values(), *further]
        call, described = f"{truths_in_worker.__name__}:{task}", packed_arrays.described(arrays)
        self._worker.submit_bytes(call, packed_arrays.chunks(arrays), names=list(feeds), described=described, **args)
        try:
            return list(self._worker.results())
        except WorkerLimitError as limit:
            raise UncheckedError(_SUBJECT, got=limit) from None
        except WorkerCrashError as crash:
            raise ModelError(_SUBJECT, got=crash) from None

    def close(self) -> None:
        """End its process."""
        self._worker.close()
