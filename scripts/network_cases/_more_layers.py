"""Layers that pairs are made of besides those of the random networks: attention, images, merges, wrappers."""

from __future__ import annotations

from network_cases._catalogue import LAYERS, Dice, Draw, Shape, spatial
from network_cases._network import Layer


def attention(dice: Dice, shape: Shape) -> Layer | None:
    """Attention of a sequence to itself."""
    if shape[-1] is None:
        return None
    kind = dice.of("MultiHeadAttention", "GroupQueryAttention", "Attention", "AdditiveAttention")
    if kind == "MultiHeadAttention":
        return Layer(kind, {"num_heads": 2, "key_dim": 3})
    if kind == "GroupQueryAttention":
        return Layer(kind, {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2})
    return Layer(kind, {"use_scale": dice.chance(0.5)})


def image(dice: Dice, shape: Shape) -> Layer | None:
    """Another size of an image."""
    kind = dice.of("Resizing", "CenterCrop")
    if kind == "CenterCrop":
        return Layer(kind, {"height": 3, "width": 2}) if None not in shape and min(shape[0], shape[1]) > 3 else None
    return Layer(kind, {"height": 5, "width": 7, "interpolation": dice.of("bilinear", "nearest")})


def channels_first(dice: Dice, shape: Shape) -> Layer | None:
    """A convolution or pooling whose first axis is that of the channels."""
    rank, options = len(shape) - 1, {"data_format": "channels_first", "padding": "same"}
    if None in shape:
        return None
    if dice.chance(0.3):
        return Layer(f"{dice.of('Max', 'Average')}Pooling{rank}D", {"pool_size": 2, **options})
    kind = dice.of("Conv", "Conv", "ConvTranspose", "DepthwiseConv" if rank < 3 else "Conv")
    name = f"Conv{rank}DTranspose" if kind == "ConvTranspose" else f"{kind}{rank}D"
    filters = {} if kind == "DepthwiseConv" else {"filters": dice.of(2, 3)}
    return Layer(name, {"kernel_size": dice.of(2, 3), "strides": dice.of(1, 2), **filters, **options})


def transposed(dice: Dice, shape: Shape) -> Layer | None:
    """A transposed convolution, perhaps dilated or with an output padding."""
    rank = len(shape) - 1
    if shape[-1] is None:
        return None
    options = {"filters": dice.of(2, 3), "kernel_size": dice.of(2, 3), "padding": dice.of("same", "valid")}
    if dice.chance(0.3) and rank < 3:
        return Layer(f"Conv{rank}DTranspose", {**options, "dilation_rate": 2})
    more = {"output_padding": 1} if dice.chance(0.3) else {}
    return Layer(f"Conv{rank}DTranspose", {**options, "strides": dice.of(2, 3), **more})


def merge(dice: Dice, shape: Shape) -> Layer | None:
    """A tensor merged with itself."""
    return Layer(dice.of("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"))


def plain(dice: Dice, shape: Shape) -> Layer | None:
    """What is on a tensor of any rank."""
    kind = dice.of("ActivityRegularization", "Normalization", "SpectralNormalization")
    if kind == "SpectralNormalization":
        return Layer(kind, {"layer": Layer("Dense", {"units": dice.of(2, 3)})})
    return Layer(kind, {"mean": 0.3, "variance": dice.of(0.5, 2.0)} if kind == "Normalization" else {"l2": 0.01})


def left_out(dice: Dice, shape: Shape) -> Layer | None:
    """What leaves out whole channels in training only."""
    return Layer(f"SpatialDropout{len(shape) - 1}D", {"rate": 0.2})


def adaptive(dice: Dice, shape: Shape) -> Layer | None:
    """A pooling to a size, smaller than the one before, which it needs to know: TensorFlow dies of windows of 0."""
    if any(size is None or size <= 3 for size in spatial(shape)):
        return None
    return Layer(f"Adaptive{dice.of('Max', 'Average')}Pooling{len(shape) - 1}D", {"output_size": dice.of(2, 3)})


def of_sequences(dice: Dice, shape: Shape) -> Layer | None:
    """What else is on a sequence: a mask, a cell, a spectrum."""
    kind = dice.of("Masking", "RNN", "STFTSpectrogram", "Dot", "SpectralNormalization")
    if kind == "RNN":
        cell = Layer(dice.of("LSTMCell", "GRUCell", "SimpleRNNCell"), {"units": dice.of(2, 3)})
        return Layer(kind, {"cell": cell, "return_sequences": dice.chance(0.5)})
    if kind == "STFTSpectrogram":
        return Layer(kind, {"frame_length": 6, "frame_step": 2, "fft_length": 8, "mode": dice.of("magnitude", "log")})
    if kind == "SpectralNormalization":
        return Layer(kind, {"layer": Layer("Conv1D", {"filters": 2, "kernel_size": 2})})
    return Layer(kind, {"axes": dice.of(1, 2)} if kind == "Dot" else {})


def of_images(dice: Dice, shape: Shape) -> Layer | None:
    """What else is on an image, or on a sequence of lines."""
    kind = dice.of(
        "RandomFlip", "RandomRotation", "RandomCrop", "SpectralNormalization", "ConvLSTM1D", "TimeDistributed"
    )
    if kind == "RandomCrop":
        return Layer(kind, {"height": 3, "width": 4})
    if kind == "ConvLSTM1D":
        return Layer(kind, {"filters": 2, "kernel_size": 2, "return_sequences": dice.chance(0.5)})
    if kind == "TimeDistributed":
        return Layer(kind, {"layer": Layer(dice.of("LSTM", "GRU"), {"units": 2})})
    if kind == "SpectralNormalization":
        return Layer(kind, {"layer": Layer("Conv2D", {"filters": 2, "kernel_size": 2})})
    return Layer(kind, {"factor": 0.2} if kind == "RandomRotation" else {})


def of_volumes(dice: Dice, shape: Shape) -> Layer | None:
    """What else is on a volume."""
    if dice.chance(0.3):
        return Layer("UpSampling3D", {"size": 2})
    if None in shape or dice.chance(0.3):
        return Layer("Permute", {"dims": dice.of((4, 1, 3, 2), (2, 1, 4, 3), (3, 2, 1, 4))})
    return Layer("Flatten") if dice.chance(0.5) else Layer("Reshape", {"target_shape": (-1, shape[-1])})


_EVERYWHERE: tuple[Draw, ...] = (merge, plain)
#: By rank without the batch, with those of the random networks.
ALL: dict[int, tuple[Draw, ...]] = {
    1: (*LAYERS[1], *_EVERYWHERE),
    2: (*LAYERS[2], *_EVERYWHERE, attention, attention, channels_first, transposed, left_out, adaptive, of_sequences),
    3: (*LAYERS[3], *_EVERYWHERE, image, channels_first, transposed, left_out, adaptive, of_images),
    4: (*LAYERS[4], *_EVERYWHERE, channels_first, transposed, left_out, adaptive, of_volumes),
}
