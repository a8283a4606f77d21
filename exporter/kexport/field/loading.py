"""Loading a bundle's model into the best runtime that is installed."""

from __future__ import annotations

from pathlib import Path

from kexport import runtimes
from kexport.bundle.folder import Bundle
from kexport.errors import MissingRuntimeError
from kexport.runtimes import Runtime, Session


def load(path: str | Path, runtime: str | None = None) -> Session:
    """Load the model of a bundle, after checking the digest of its artifact.

    Args:
        path: the bundle's folder.
        runtime: the name of a runtime; by default the best one that is installed and can read an artifact of the
            bundle.

    Returns:
        The model: call it with an array or a mapping of arrays; `.runtime` is the name of what runs it, `.signature`
        has names, dtypes and shapes of its inputs and outputs.

    Raises:
        BundleError: the bundle cannot be read.
        ArtifactError: the artifact is missing, or is not the one that was built.
        MissingRuntimeError: the runtime is not installed or reads no artifact of the bundle, or no runtime does.
        UsageError: there is no runtime of that name.

    Example:
        >>> import kexport, numpy
        >>> model = kexport.load("artifacts/reference/scaled", runtime="onnxruntime")
        >>> model(numpy.ones((1, 3), "float32"))
        array([[2., 2., 2.]], dtype=float32)
    """
    requested = None if runtime is None else runtimes.get(runtime)
    return session_of(Bundle.open(path), requested)


def session_of(bundle: Bundle, runtime: Runtime | None = None) -> Session:
    """Load the model of an open bundle, as `load` does."""
    name, formats = bundle.manifest.name, sorted({artifact.format for artifact in bundle.manifest.artifacts})
    runtime = runtime or runtimes.best(formats, repr(name))
    runtime.require()
    artifacts = bundle.artifacts_of(runtime.reads)
    if not artifacts:
        raise MissingRuntimeError(
            f"{name!r} has no artifact that runtime {runtime.name!r} can read",
            got=", ".join(formats),
            expected=runtime.reads,
            hint=f"build it with --formats {runtime.reads}",
        )
    return runtime.open(bundle.checked_path(artifacts[0]), bundle.signature)
