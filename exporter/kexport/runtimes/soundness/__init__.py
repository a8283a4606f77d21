"""Checks of a file's structure before a native runtime sees it, which trusts most of what a file says."""

from kexport.runtimes.soundness.file import SoundOnnx, require_sound_onnx, require_sound_tflite

__all__ = ["SoundOnnx", "require_sound_onnx", "require_sound_tflite"]
