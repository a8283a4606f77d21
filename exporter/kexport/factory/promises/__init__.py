"""The contracts of a model: what its layers state, how that carries through the graph, and what a person states."""

from kexport.factory.promises.collect import Promises, collect
from kexport.factory.promises.statements import Statement, statements

__all__ = ["Promises", "Statement", "collect", "statements"]
