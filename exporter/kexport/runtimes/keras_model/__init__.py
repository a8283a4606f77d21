"""Keras models: reading their files, finding how they are called, and calling them on arrays."""

from kexport.runtimes.keras_model.backend import import_keras
from kexport.runtimes.keras_model.custom_objects import (
    KERAS_2,
    CustomObject,
    custom_objects,
    lambda_layers,
    names_foreign_code,
    objects_in,
    registered,
    unregistered,
)
from kexport.runtimes.keras_model.discovery import discover_interface
from kexport.runtimes.keras_model.file import load_file, read_config, sought_in, written_by_keras_2
from kexport.runtimes.keras_model.grant import Grant, granted, granting
from kexport.runtimes.keras_model.h5_file import SUFFIXES
from kexport.runtimes.keras_model.interface import Interface
from kexport.runtimes.keras_model.missing_code import missing_code
from kexport.runtimes.keras_model.patches import Method, replaced
from kexport.runtimes.keras_model.protocols import CallableModel, KerasLayer, KerasModel, KerasTensor
from kexport.runtimes.keras_model.scopes import any_layer_name
from kexport.runtimes.keras_model.seen_calls import calls_seen
from kexport.runtimes.keras_model.tensors import to_array, to_dense, to_tensor
from kexport.runtimes.keras_model.training_wrappers import STRIPS, strip_by_operation

__all__ = [
    "KERAS_2",
    "STRIPS",
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
    "missing_code",
    "names_foreign_code",
    "objects_in",
    "read_config",
    "registered",
    "replaced",
    "sought_in",
    "strip_by_operation",
    "to_array",
    "to_dense",
    "to_tensor",
    "unregistered",
    "written_by_keras_2",
]
