"""Loading a bundle's model into the best runtime that is installed."""

from __future__ import annotations

from pathlib import Path

from kexport import runtimes
from kexport.bundle.folder import Bundle
from kexport.errors import MissingRuntimeError
from kexport.runtimes import Session


def load(path: str | Path, runtime: str | None = None) -> Session:
    """Load the model of a bundle, after the digest of its artifact was checked.

    Args:
        path: the bundle's folder.
        runtime: its name; by default the best one that is installed and can read an artifact of the bundle.

    Returns:
        The model: call it with an array or a mapping of arrays; `.runtime` says what runs it, `.signature` what it
        takes and gives.

    Raises:
        BundleError: the bundle cannot be read.
        ArtifactError: the artifact is missing, or is not the one that was built.
        MissingRuntimeError: the runtime is not installed, or none is that can read the bundle.
        UsageError: no runtime has that name.

    Example:
        >>> import kexport, numpy
        >>> model = kexport.load("artifacts/reference/scaled", runtime="onnxruntime")
        >>> model(numpy.ones((1, 3), "float32"))
        array([[2., 2., 2.]], dtype=float32)
    """
    chosen = None if runtime is None else runtimes.get(runtime)
    bundle = Bundle.open(path)
    formats = {artifact.format for artifact in bundle.manifest.artifacts}
    if chosen is None:
        chosen = runtimes.best(sorted(formats), repr(bundle.manifest.name))
    chosen.require()
    artifacts = bundle.artifacts_of(chosen.reads)
    if not artifacts:
        raise MissingRuntimeError(
            f"{bundle.manifest.name!r} holds nothing that runtime {chosen.name!r} can read",
            got=", ".join(sorted(formats)),
            expected=chosen.reads,
            hint=f"build it with --formats {chosen.reads}",
        )
    return chosen.open(bundle.checked_path(artifacts[0]), bundle.signature)
