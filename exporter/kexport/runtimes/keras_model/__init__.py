"""Keras models: reading their files, finding how they are called, and calling them on arrays."""

from kexport.runtimes.keras_model.discovery import discover_interface
from kexport.runtimes.keras_model.file import allowing_lambda, load_file, read_config, unregistered
from kexport.runtimes.keras_model.interface import Interface
from kexport.runtimes.keras_model.patches import Method, replaced
from kexport.runtimes.keras_model.protocols import CallableModel, KerasLayer, KerasModel, KerasTensor
from kexport.runtimes.keras_model.tensors import to_array, to_tensor

__all__ = [
    "CallableModel",
    "Interface",
    "KerasLayer",
    "KerasModel",
    "KerasTensor",
    "Method",
    "allowing_lambda",
    "discover_interface",
    "load_file",
    "read_config",
    "replaced",
    "to_array",
    "to_tensor",
    "unregistered",
]
