"""Loading a SavedModel, also one that was trained with an optimizer whose class is not here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kexport.runtimes.keras_model.patches import Method, replaced


def load_folder(path: Path) -> Any:
    """The object in a SavedModel; may raise anything.

    An optimizer of Keras 2 keeps a slot for each variable that it trained. Without its class TensorFlow makes a plain
    object of it, which takes no slots, and fails. No function that serves reads them: they are left out.
    """
    import tensorflow as tf
    from tensorflow.python.saved_model import loader_impl

    with replaced(loader_impl, "parse_saved_model_with_debug_info", _without_slots):
        return tf.saved_model.load(str(path))


def _without_slots(original: Method) -> Method:
    def parse(*arguments: object, **options: object) -> object:
        parsed: Any = original(*arguments, **options)
        for graph in parsed[0].meta_graphs:
            for node in graph.object_graph_def.nodes:
                del node.slot_variables[:]
        return parsed

    return parse
