"""The functions of `keras.ops`, a file a kind; each file has the list CASES."""

KINDS = ("elementwise", "pairs", "reductions", "arrays", "control", "neural", "mathematics", "algebra", "imaging")
#: What makes no array of its input, is no function of arrays alone, or what Keras itself cannot do in a graph.
LEFT_OUT = {
    "array", "convert_to_numpy", "convert_to_tensor", "custom_gradient", "dtype", "is_tensor", "jvp", "shape", "size",
    "ndim", "vectorize", "isin", "corrcoef", "bartlett", "nanquantile",
    "nanpercentile", "nanmedian", "inner", "kron", "elastic_transform",
}  # fmt: skip


def uncovered() -> list[str]:
    """The public operations of this Keras that no case is of; a second name of one is not counted."""
    import keras

    from coverage_cases import every

    functions = {}
    for module in (keras.ops, keras.ops.image, keras.ops.linalg):
        functions.update({name: value for name, value in vars(module).items() if callable(value) and name[0] != "_"})
    covered = {functions[case.subject] for case in every(["ops"])}
    return sorted(name for name, value in functions.items() if value not in covered and name not in LEFT_OUT)
