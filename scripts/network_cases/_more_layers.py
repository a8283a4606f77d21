"""Layers that pairs are made of besides those of the random networks: attention, images, channels first, three axes."""

from __future__ import annotations

from network_cases._catalogue import LAYERS, Dice, Draw, Shape
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


#: By rank without the batch, with those of the random networks.
ALL: dict[int, tuple[Draw, ...]] = {
    1: LAYERS[1],
    2: (*LAYERS[2], attention, attention, channels_first, transposed),
    3: (*LAYERS[3], image, channels_first, transposed),
    4: (*LAYERS[4], channels_first, transposed),
}
