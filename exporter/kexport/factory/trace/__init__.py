"""From a Keras model to one traced program with named inputs, outputs and state."""

from kexport.factory.trace.program import Program, paths, trace
from kexport.factory.trace.protocols import BuiltModel
from kexport.factory.trace.served import Served

__all__ = ["BuiltModel", "Program", "Served", "paths", "trace"]
