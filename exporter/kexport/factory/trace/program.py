"""The one traced function that every format is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kexport.bundle.signature import Array, Signature, TensorSpec, held
from kexport.errors import ExportError, KexportError, located
from kexport.factory.corrections import all_active
from kexport.factory.graph.protocols import Tensor
from kexport.factory.trace import state
from kexport.factory.trace.explanation import explained
from kexport.factory.trace.layer_paths import paths
from kexport.factory.trace.protocols import BuiltModel, CoreFunction, GraphVariable, LookupTable
from kexport.factory.trace.served import Served
from kexport.runtimes.keras_model import Interface, discover_interface, import_keras


@dataclass(frozen=True)
class Program:
    """A Keras model, traced once for inference.

    Attributes:
        model: the Keras model, or the function of a SavedModel.
        interface: how it is called.
        signature: the signature of every artifact that is made from it.
        core: a TensorFlow concrete function from flat inputs to flat outputs.
        scopes: for each scope in the graph, the layer or operation that opened it, in words.
        recurrent: for each function in the graph that computes a recurrent layer, the layer's settings.
        state: variables that the function assigns to, each with the value it had when it was traced.
        calls: the layers that know something of their inputs, each with the tensors that it was called on.
    """

    model: BuiltModel | Served
    interface: Interface
    signature: Signature
    core: CoreFunction
    scopes: Mapping[str, str] = field(default_factory=dict)
    recurrent: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    state: Sequence[tuple[GraphVariable, Array]] = ()
    calls: Sequence[tuple[object, Sequence[object]]] = ()

    def reset(self) -> None:
        """Restore the state that the model keeps between calls to what it was when the model was traced."""
        for variable, value in self.state:
            variable.assign(value)

    @property
    def served(self) -> bool:
        """Whether the model is a function that TensorFlow loaded, without layers."""
        return isinstance(self.model, Served)

    def resources(self) -> list[object]:
        """The captured objects other than variables, which must be saved with the function."""
        return [getattr(table, "resource", table) for table in _tables(self.model)]

    @property
    def tables(self) -> dict[int, LookupTable]:
        """The lookup tables that the function captures, by id of the handle."""
        return {id(table.resource_handle): table for table in _tables(self.model)}

    def entries(self, handle: Tensor) -> tuple[Array, Array] | None:
        """The keys of the lookup table with this handle, in order, and the value of each; None where it is none."""
        import tensorflow as tf

        table = self.tables.get(id(handle))
        if table is None:
            return None
        dtypes = {"Tkeys": table.key_dtype, "Tvalues": table.value_dtype}
        exported = tf.raw_ops.LookupTableExportV2(table_handle=handle, **dtypes)
        keys, values = exported.keys.numpy(), exported.values.numpy()
        order = np.argsort(keys)  # the table's own is that of hashes
        return keys[order], values[order]


def trace(model: BuiltModel | Served, samples: Mapping[str, Array] | None = None) -> Program:
    """Trace the model with `training=False`; axes that it declares without a size stay dynamic.

    Args:
        model: the Keras model, or the function of a SavedModel.
        samples: recorded inputs by name; they show what a model takes that was never called.

    Raises:
        ModelError: the inputs of the model cannot be determined.
        ExportError: the model fails when it is traced.
    """
    import_keras()
    if isinstance(model, Served):
        interface = model.interface
    else:
        interface = discover_interface(model, samples)
        state.reset_layers(model)
    try:
        with all_active() as record:
            concrete, structure = interface.concrete(model)
    except KexportError:
        raise
    except Exception as error:  # the model's own code may raise anything
        otherwise = "a layer whose code needs Python values, or fixed sizes, cannot be traced"
        got, hint = explained(error, model).facts(located(error), otherwise)
        raise ExportError(f"model {model.name!r} cannot be traced for inference", got=got, hint=hint) from error
    _order_variables(concrete)
    interface = interface.with_outputs(structure)
    outputs = tuple(
        TensorSpec(name, held(name, tensor.dtype.name), _shape(name, tensor))
        for name, tensor in zip(interface.output_names, concrete.structured_outputs, strict=True)
    )
    return Program(
        model,
        interface,
        Signature(interface.inputs, outputs),
        concrete,
        _in_words(record.scopes, model),
        record.recurrent,
        state.initial(concrete),
        record.calls,
    )


def _order_variables(core: CoreFunction) -> None:
    """Give the variables the order in which the function captures them; TensorFlow's is that of addresses in memory."""
    places = {id(external): place for place, (external, _) in enumerate(core.graph.captures)}
    core.graph.variables = sorted(core.graph.variables, key=lambda each: places.get(id(each.handle), len(places)))


def _in_words(scopes: Mapping[str, Sequence[object]], model: BuiltModel | Served) -> dict[str, str]:
    """The layer or operation that opened each scope, with its path in the model and its class, in words."""
    import keras

    places: dict[int, str] = {}
    for each, path in paths(model):
        places.setdefault(id(each), path)

    def words(caller: keras.Operation) -> str:
        kind = "layer" if isinstance(caller, keras.Layer) else "operation"
        return f"{kind} {places.get(id(caller), caller.name)!r} ({type(caller).__name__})"

    texts = {}
    for scope, callers in scopes.items():
        names = [words(caller) for caller in callers if isinstance(caller, keras.Operation) and caller is not model]
        if names:
            texts[scope] = " or ".join(dict.fromkeys(names))
    return texts


def _tables(model: BuiltModel | Served) -> Iterator[LookupTable]:
    """The lookup tables of the model's layers, or of the object that TensorFlow loaded."""
    import tensorflow as tf

    if isinstance(model, Served):
        yield from model.tables
        return
    kinds = tf.lookup.StaticHashTable | tf.lookup.StaticVocabularyTable | tf.lookup.experimental.MutableHashTable
    for layer in model._flatten_layers():
        for value in vars(layer).values():
            inside = list(value.values()) if isinstance(value, dict) else value
            values = inside if isinstance(inside, list | tuple) else [inside]
            yield from (each for each in values if isinstance(each, kinds) and each.resource_handle is not None)


def _shape(name: str, tensor: Tensor) -> tuple[int | None, ...]:
    if tensor.shape.rank is None:
        raise ExportError(
            f"output {name!r} has an unknown number of axes",
            got=tensor.name,
            hint="keras.ops.reshape, or a layer with a fixed output shape, gives it one; in a signature that is to be"
            " saved, tf.ensure_shape",
        )
    return tuple(tensor.shape.as_list())
