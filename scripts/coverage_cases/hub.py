"""Backbones of keras-hub with tiny configurations and random weights; they need keras-hub only when they are made."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from coverage_cases._case import Cases
from coverage_cases._draw import Draw, ended, integers, normal, uniform

CASES = Cases("hub")
_MASK = ended(integers(1, 2, None))
_UNNAMED = "keras_tensor"  # what Keras calls the first input of a process that was given no name
_IDS = integers(1, 100, None)
_TOKENS = {"padding_mask": _MASK, "token_ids": _IDS}
_SEGMENTS = {**_TOKENS, "segment_ids": integers(0, 2, None)}
_UNMASKED = {"segment_ids": _SEGMENTS["segment_ids"], "token_ids": _IDS}
_PAIR = {
    "decoder_padding_mask": _MASK,
    "decoder_token_ids": _IDS,
    "encoder_padding_mask": _MASK,
    "encoder_token_ids": _IDS,
}
_SIZE = {"vocabulary_size": 100, "num_layers": 2, "hidden_dim": 16, "intermediate_dim": 32}
_TEXT = {**_SIZE, "num_heads": 2}
_LONG = {**_TEXT, "max_sequence_length": 32}
_GROUPED = {**_SIZE, "num_query_heads": 4, "num_key_value_heads": 2}


_BARE = ("ViT", "DeiT", "ResNet", "DenseNet", "VGG", "CSPNet", "MiT", "SwinTransformer", "Xception")  # take a tensor


def _images(size: int, name: str = "images") -> Mapping[str, Draw]:
    return {name: uniform(0, 1, size, size, 3)}


def _backbone(kind: str, inputs: Mapping[str, Draw], **settings: Any) -> None:
    """Add a backbone; with named inputs it takes a dict of them."""
    named = dict(sorted(inputs.items())) if len(inputs) > 1 else dict(inputs)

    def call(model: Any, *tensors: Any) -> Any:
        return model(tensors[0] if kind in _BARE else dict(zip(named, tensors, strict=True)))

    def make() -> Any:
        return getattr(importlib.import_module("keras_hub.models"), f"{kind}Backbone")(**settings)

    CASES.add(f"{kind}/tiny", make, named, call=call, noise=True, timeout=600.0, package="keras-hub")


_backbone("Albert", _SEGMENTS, **_LONG, embedding_dim=8)
_backbone("Bart", _PAIR, **_LONG)
_backbone("Bert", _SEGMENTS, **_LONG)
_backbone("Bloom", _TOKENS, **_TEXT)
_backbone("DebertaV3", _TOKENS, **_LONG, bucket_size=8)
_backbone("DistilBert", _TOKENS, **_LONG)
_backbone(
    "Electra",
    _SEGMENTS,
    vocab_size=100,
    embedding_dim=8,
    **{name: value for name, value in _LONG.items() if name != "vocabulary_size"},
)
_backbone("FNet", _UNMASKED, **_LONG)
_backbone("Falcon", _TOKENS, **_SIZE, num_attention_heads=4)
_backbone("GPT2", _TOKENS, **_LONG)
_backbone("GPTNeoX", _TOKENS, **_LONG)
_backbone("Gemma", _TOKENS, **_GROUPED, head_dim=4)
_backbone("Llama", _TOKENS, **_GROUPED)
_backbone("Llama3", _TOKENS, **_GROUPED)
_backbone("Mistral", _TOKENS, **_GROUPED)
_backbone("OPT", _TOKENS, **_LONG)
_backbone("Phi3", _TOKENS, **_GROUPED)
_backbone("Qwen2", _TOKENS, **_GROUPED)
_backbone("Qwen3", _TOKENS, **_GROUPED, head_dim=4)
_backbone("Roberta", _TOKENS, **_LONG)
_backbone(
    "RoformerV2", {name: draw for name, draw in _SEGMENTS.items() if name != "padding_mask"}, **_TEXT, head_size=8
)
_backbone("T5", _PAIR, **_TEXT)
_backbone("XLMRoberta", _TOKENS, **_LONG)
_backbone("XLNet", _SEGMENTS, **_TEXT)
_backbone(
    "Whisper",
    {"decoder_padding_mask": _MASK, "decoder_token_ids": _IDS, "encoder_features": normal(None, 20)},
    **_TEXT,
    num_mels=20,
    max_encoder_sequence_length=64,
    max_decoder_sequence_length=32,
)
_SHAPE = {"image_shape": (32, 32, 3)}
_VISION = {**_SHAPE, "num_layers": 2, "hidden_dim": 16, "num_heads": 2}
_backbone("ViT", _images(32), **_VISION, patch_size=(8, 8), mlp_dim=32)
_backbone(
    "DeiT",
    _images(32, _UNNAMED),
    **_VISION,
    patch_size=(8, 8),
    intermediate_dim=32,
)
_backbone("DINOV2", _images(32), **_VISION, patch_size=8, intermediate_dim=32, position_embedding_shape=(32, 32, 3))
_backbone(
    "ResNet",
    _images(32, _UNNAMED),
    input_conv_filters=[64],
    input_conv_kernel_sizes=[7],
    stackwise_num_filters=[64, 128],
    stackwise_num_blocks=[1, 1],
    stackwise_num_strides=[1, 2],
    block_type="basic_block",
    **_SHAPE,
)
_backbone("DenseNet", _images(32, _UNNAMED), stackwise_num_repeats=[2, 2], **_SHAPE, growth_rate=8)
_backbone(
    "VGG",
    _images(32, _UNNAMED),
    stackwise_num_repeats=[1, 1],
    stackwise_num_filters=[8, 16],
    **_SHAPE,
)
_backbone(
    "CSPNet",
    _images(32, _UNNAMED),
    stem_filters=8,
    stem_kernel_size=3,
    stem_strides=1,
    stackwise_depth=[1, 1],
    stackwise_strides=[1, 2],
    stackwise_num_filters=[8, 16],
    block_type="dark_block",
    stage_type="dark",
    **_SHAPE,
)
_backbone(
    "MiT",
    _images(32, _UNNAMED),
    layerwise_depths=[1, 1],
    num_layers=2,
    layerwise_num_heads=[1, 2],
    layerwise_sr_ratios=[2, 1],
    max_drop_path_rate=0.1,
    layerwise_patch_sizes=[7, 3],
    layerwise_strides=[4, 2],
    **_SHAPE,
    hidden_dims=[8, 16],
)
_backbone(
    "SwinTransformer",
    _images(32, _UNNAMED),
    **_SHAPE,
    embed_dim=8,
    depths=[2, 2],
    num_heads=[2, 2],
    window_size=4,
    patch_size=2,
)
_backbone(
    "Xception",
    _images(48, _UNNAMED),
    stackwise_conv_filters=[[8, 8], [16, 16], [24, 24]],
    stackwise_pooling=[False, True, False],
    image_shape=(48, 48, 3),
)
