"""Faults planted in the layers of an artifact: one weight moved in the ONNX file, or in the TFLite file."""

from pathlib import Path
from typing import Any

import numpy as np

LAYERS = ["encoder/conv", "encoder/norm", "left", "right", "first", "attention/value", "scale", "score"]


def model():
    """Two inputs, a nested model, two branches, a recurrent layer, attention, normalisation."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(5)
    inside = keras.Input((6, 6, 2))
    hidden = layers.Conv2D(4, 3, name="conv")(inside)
    hidden = layers.ReLU(name="relu")(layers.BatchNormalization(name="norm")(hidden))
    encoder = keras.Model(inside, layers.GlobalAveragePooling2D(name="mean")(hidden), name="encoder")
    image, series = keras.Input((6, 6, 2), name="image"), keras.Input((5, 3), name="series")
    shared = layers.Dense(8, activation="tanh", name="shared")
    left = layers.Dense(8, activation="relu", name="left")(shared(encoder(image)))
    steps = layers.LSTM(4, return_sequences=True, name="first")(series)
    steps = layers.MultiHeadAttention(2, 2, name="attention")(steps, steps)
    right = layers.Dense(8, name="right")(shared(layers.Flatten(name="flat")(steps)[:, :4]))
    both = layers.LayerNormalization(name="scale")(layers.Add(name="sum")([left, right]))
    outputs = {"score": layers.Dense(3, name="score")(both), "side": layers.Dense(2, name="other")(right)}
    made = keras.Model([image, series], outputs, name="mixed")
    rng = np.random.default_rng(5)
    for weight in made.weights:
        if weight.name in ("bias", "beta", "moving_mean"):
            weight.assign(rng.normal(0, 0.3, weight.shape))
        elif weight.name in ("gamma", "moving_variance"):
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    return made


def in_onnx(path: Path, layer: str) -> None:
    """Move the largest number in the largest weight of the layer by a twentieth."""
    import onnx

    file = onnx.load(str(path))
    weights = {tensor.name: tensor for tensor in file.graph.initializer}
    operators = [node for node in file.graph.node if f"/{_scope(layer)}/" in f"/{node.name}"]
    found = [(node, name) for node in operators for name in node.input if name in weights and _real(weights[name])]
    name = max((name for _, name in found), key=lambda each: len(weights[each].raw_data))
    moved = _moved(onnx.numpy_helper.to_array(weights[name]))
    weights[name].CopyFrom(onnx.numpy_helper.from_array(moved, name))
    path.write_bytes(file.SerializeToString())


def in_tflite(path: Path, layer: str) -> None:
    """The same in the flatbuffer."""
    import flatbuffers

    from kexport.runtimes.files import tflite

    types: Any = tflite.schema()
    file: Any = types.ModelT.InitFromPackedBuf(bytearray(path.read_bytes()), 0)
    graph = file.subgraphs[0]
    found = []
    for operator in graph.operators:
        names = "/".join((graph.tensors[index].name or b"").decode() for index in operator.outputs).replace(";", "/")
        if f"/{_scope(layer)}/" in f"/{names}/" or names == layer:
            held = [graph.tensors[index] for index in operator.inputs]
            real = [tensor.buffer for tensor in held if tensor.type == types.TensorType.FLOAT32]
            found += [buffer for buffer in real if file.buffers[buffer].data is not None]
    largest = max(found, key=lambda buffer: len(file.buffers[buffer].data))
    data = np.frombuffer(bytes(file.buffers[largest].data), np.float32)
    file.buffers[largest].data = np.frombuffer(_moved(data).tobytes(), np.uint8)
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(file.Pack(builder), b"TFL3")
    path.write_bytes(builder.Output())


def _scope(layer: str) -> str:
    """As converters write it: each layer's scope was opened a second time."""
    return "/".join(f"{part}_1" for part in layer.split("/"))


def _real(tensor) -> bool:
    return tensor.data_type == 1


def _moved(values: np.ndarray) -> np.ndarray:
    flat = values.copy().reshape(-1)
    flat[np.abs(flat).argmax()] *= 1.05
    return flat.reshape(values.shape)
