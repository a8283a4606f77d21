"""Keras' layers, a file a kind; each file has the list CASES."""

KINDS = (
    "core", "activations", "convolution", "pooling", "shaping", "normalization", "attention", "recurrent", "features",
    "images",
)  # fmt: skip
#: Classes that are no layer by themselves, or one of another library.
ABSTRACT = {"InputSpec", "FlaxLayer", "JaxLayer", "TorchModuleWrapper"}


def uncovered() -> list[str]:
    """The public layers of this Keras that no case is of; a second name of one is not counted."""
    import inspect

    import keras

    from coverage_cases import every

    subjects = {case.subject for case in every(["layers"])}
    classes = {name: kind for name, kind in vars(keras.layers).items() if inspect.isclass(kind)}
    covered = {classes[name] for name in subjects}
    return sorted(name for name, kind in classes.items() if kind not in covered and name not in ABSTRACT)
