"""Protocols for LiteRT's interpreter and ONNX Runtime's session, as far as kexport uses them: neither ships types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypedDict

from kexport.bundle.signature import Array


class TensorDetails(TypedDict):
    """What the interpreter declares about an input or output: its shape in the last call; -1 is a dynamic size."""

    name: str
    index: int
    dtype: type
    shape: Sequence[int]
    shape_signature: Sequence[int]
    quantization: tuple[float, int]


class SignatureRunner(Protocol):
    """One of the functions in a file (`ai_edge_litert.interpreter.SignatureRunner`)."""

    def get_input_details(self) -> Mapping[str, TensorDetails]: ...
    def get_output_details(self) -> Mapping[str, TensorDetails]: ...
    def __call__(self, **inputs: Array) -> Mapping[str, Array]: ...


class LiteRTInterpreter(Protocol):
    """LiteRT's interpreter (`ai_edge_litert.interpreter.Interpreter`)."""

    def get_signature_list(self) -> Mapping[str, object]: ...
    def get_signature_runner(self, signature_key: str) -> SignatureRunner: ...
    def get_input_details(self) -> Sequence[TensorDetails]: ...
    def get_output_details(self) -> Sequence[TensorDetails]: ...
    def resize_tensor_input(self, index: int, shape: Sequence[int]) -> None: ...
    def allocate_tensors(self) -> None: ...
    def set_tensor(self, index: int, value: Array) -> None: ...
    def get_tensor(self, index: int) -> Array: ...
    def invoke(self) -> None: ...


class NodeArg(Protocol):
    """What ONNX Runtime declares about an input or output; a size is a name where it is dynamic."""

    name: str
    type: str
    shape: Sequence[int | str | None]


class ModelMetadata(Protocol):
    """What a file says about itself (`onnxruntime.ModelMetadata`)."""

    custom_metadata_map: Mapping[str, str]


class InferenceSession(Protocol):
    """ONNX Runtime's session (`onnxruntime.InferenceSession`)."""

    def get_modelmeta(self) -> ModelMetadata: ...

    def get_inputs(self) -> Sequence[NodeArg]: ...
    def get_outputs(self) -> Sequence[NodeArg]: ...
    def run(self, output_names: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]: ...
