"""From a Keras model to one traced program with named inputs, outputs and state."""

from kexport.factory.trace.explanation import Explanation, explained
from kexport.factory.trace.layer_paths import paths
from kexport.factory.trace.program import Program, trace
from kexport.factory.trace.protocols import BuiltModel
from kexport.factory.trace.served import Served

__all__ = ["BuiltModel", "Explanation", "Program", "Served", "explained", "paths", "trace"]
