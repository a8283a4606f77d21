"""Loading a bundle's model into the best runtime that is installed."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kexport import runtimes
from kexport.bundle.folder import Bundle, of_signature
from kexport.bundle.manifest import Artifact
from kexport.errors import MissingRuntimeError, UsageError, require_known
from kexport.field.keys import read_pem
from kexport.field.recipe import BundleRecipe, require_key
from kexport.field.trust import NO_TRUST, Trust
from kexport.python_call import public
from kexport.runtimes import Runtime, Session


@public()
def load(
    path: str | Path,
    runtime: str | None = None,
    *,
    signature: str | None = None,
    precision: str | None = None,
    integers: bool = False,
    imports: Sequence[str] = (),
    allow_lambda: bool = False,
    trust: bool = False,
    max_bytes: int = 0,
    max_seconds: float | None = None,
    isolated: bool | None = None,
    signed_by: str | Path | None = None,
) -> Session:
    """Load the model of a bundle, after checking the digest of its artifact.

    Args:
        path: the bundle's folder, or one that a build of several signatures wrote.
        runtime: the name of a runtime; by default the best one that is installed and can read an artifact of the
            bundle.
        signature: of several, the one to load, by the name that it has in the SavedModel.
        precision: which of its artifacts: `"float32"`, or a small one that was built, such as `"int8"`; by default the
            most exact one.
        integers: pass and get the integers of an artifact that was built with `io="int"`, whose scales are in
            `.quantization`; by default it takes and returns real numbers, like all others.
        imports: files or modules that register the layers of a `.keras` artifact; run only where that is loaded.
        allow_lambda: load the Lambda layers of a `.keras` artifact, which runs the bytecode in it.
        trust: let a SavedModel run any operation, such as one that writes files; by default only what computes.
        max_bytes: allow files, and arrays and weights in them, that are larger than usual, up to this size.
        max_seconds: seconds of each processor core for one call of a model in a process of its own, where that is more
            than follows from its size.
        isolated: serve the model from a process of its own. If that dies during a call, the call raises
            `ProcessDiedError`, and the next one starts it again, unless the model keeps state between calls. By
            default where the values of a call decide how long an operator of a `.tflite` or `.onnx` file runs, such as
            a loop until something converges, or how much it takes: a warning then names the operator. With `trust` or
            `signed_by` nothing is isolated by default.
        signed_by: a public key in PEM, as a file or as text: before anything in the bundle is read, it must have been
            signed with it. Needs `kexport[sign]`.

    Returns:
        The model: call it with an array or a mapping of arrays, from any thread; `.runtime` is the name of what runs
        it, `.signature` has names, dtypes and shapes of its inputs and outputs. `.close()` or a `with` block ends it.
        A pickle of it holds the path of the bundle, from which it is loaded again. A warning says where the code of
        its layers is not what the bundle was built with.

    Raises:
        AuthenticityError: the bundle was not signed with the key, or is not what was signed.
        BundleError: the bundle cannot be read.
        ArtifactError: the artifact is missing, or is not the one that was built.
        MissingRuntimeError: the runtime is not installed or reads no artifact of the bundle, or no runtime does.
        MissingCodeError: a `.keras` artifact needs code that was not given, or may not run.
        UsageError: there is no runtime or precision of that name, an import fails, or a bundle of one function was
            given a signature.

    Example:
        >>> import kexport, numpy
        >>> model = kexport.load("artifacts/reference/scaled", runtime="onnxruntime")
        >>> model(numpy.ones((1, 3), "float32"))
        array([[2., 2., 2.]], dtype=float32)
    """
    requested = None if runtime is None else runtimes.get(runtime)
    trusted = Trust(tuple(imports), allow_lambda, unrestricted=trust, seconds=max_seconds, max_bytes=max_bytes)
    trusted.require_imports()
    path = path if signature is None else of_signature(Path(path), signature)
    key = None if signed_by is None else read_pem(signed_by)
    require_key(path, key, max_bytes)
    bundle = Bundle.open(path, max_bytes)
    session, differences = session_of(
        bundle, requested, trusted, precision=precision, integers=integers, isolated=isolated, signed_by=key
    )
    for difference in differences:
        warnings.warn(difference, stacklevel=2)
    return session


def session_of(
    bundle: Bundle,
    runtime: Runtime | None = None,
    trust: Trust = NO_TRUST,
    *,
    precision: str | None = None,
    integers: bool = False,
    isolated: bool | None = None,
    signed_by: str | None = None,
) -> tuple[Session, list[str]]:
    """Load the model of an open bundle, as `load` does.

    Returns:
        The session, and where the code that it was loaded with is not what its bundle was built with, in words.
    """
    chosen, artifact = _choice(bundle, runtime, precision)
    if integers and not artifact.quantization:
        raise UsageError(
            f"{artifact.path} takes and returns real numbers",
            got="integers=True",
            expected="an artifact of integers",
            hint="build it with --precision int8 --io int, and load it with precision='int8'",
        )
    recipe = BundleRecipe(
        os.path.abspath(bundle.path),
        chosen.name,
        tuple(artifact.files),
        trust.expecting(bundle.manifest.code),
        bool(isolated),
        bundle.manifest.stateful,
    )
    recipe = replace(recipe, integers=integers, signed_by=signed_by)
    session, differences = recipe.open(bundle, artifact)
    decided = session.opened.decided_by_values
    if not decided or isolated is not None or trust.unrestricted or signed_by is not None:
        return session, differences
    session.close()
    session, differences = replace(recipe, isolated=True).open(bundle, artifact)
    return session, [*differences, _isolated_because(artifact, decided)]


def _isolated_because(artifact: Artifact, operator: str) -> str:
    return (
        f"{artifact.path} is served from a process of its own: the values or sizes of a call decide how long "
        f"{operator} runs, how much it takes, or whether it ends the process, and nothing else bounds it; "
        "isolated=True says that this is meant, isolated=False serves it from this process, where a call may never end"
    )


def _choice(bundle: Bundle, runtime: Runtime | None, precision: str | None) -> tuple[Runtime, Artifact]:
    """The runtime, by default the best that is installed, and the most exact artifact that it reads."""
    name, artifacts = bundle.manifest.name, list(bundle.manifest.artifacts)
    if precision is not None:
        found = [artifact.precision for artifact in artifacts]
        require_known(precision, dict.fromkeys(found), f"{name!r} has no artifact in precision {precision!r}")
        artifacts = [artifact for artifact in artifacts if artifact.precision == precision]
    formats = sorted({artifact.format for artifact in artifacts})
    runtime = runtime or runtimes.best(formats, repr(name))
    runtime.require()
    for artifact in artifacts:
        if artifact.format == runtime.reads:
            return runtime, artifact
    raise MissingRuntimeError(
        f"{name!r} has no artifact that runtime {runtime.name!r} can read" + (f" in {precision}" if precision else ""),
        got=", ".join(formats),
        expected=runtime.reads,
        hint=f"build it with --formats {runtime.reads}"
        + (f" --precision {precision}, where that format has it; or take another runtime" if precision else ""),
    )
