"""Keras models: reading their files, finding how they are called, and calling them on arrays."""

from kexport.runtimes.keras_model.backend import import_keras
from kexport.runtimes.keras_model.custom_objects import (
    CustomObject,
    custom_objects,
    lambda_layers,
    registered,
    unregistered,
)
from kexport.runtimes.keras_model.discovery import discover_interface
from kexport.runtimes.keras_model.file import load_file, read_config
from kexport.runtimes.keras_model.grant import Grant, granted, granting
from kexport.runtimes.keras_model.h5_file import SUFFIXES
from kexport.runtimes.keras_model.interface import Interface
from kexport.runtimes.keras_model.patches import Method, replaced
from kexport.runtimes.keras_model.protocols import CallableModel, KerasLayer, KerasModel, KerasTensor
from kexport.runtimes.keras_model.scopes import any_layer_name
from kexport.runtimes.keras_model.seen_calls import calls_seen
from kexport.runtimes.keras_model.tensors import to_array, to_dense, to_tensor

__all__ = [
    "SUFFIXES",
    "CallableModel",
    "CustomObject",
    "Grant",
    "Interface",
    "KerasLayer",
    "KerasModel",
    "KerasTensor",
    "Method",
    "any_layer_name",
    "calls_seen",
    "custom_objects",
    "discover_interface",
    "granted",
    "granting",
    "import_keras",
    "lambda_layers",
    "load_file",
    "read_config",
    "registered",
    "replaced",
    "to_array",
    "to_dense",
    "to_tensor",
    "unregistered",
]
