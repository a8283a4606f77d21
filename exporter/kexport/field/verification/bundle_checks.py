"""The public way to verify a bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kexport import runtimes as known_runtimes
from kexport.bundle.folder import Bundle
from kexport.bundle.report import Observer, Report
from kexport.field.authenticity import require_signed
from kexport.field.evaluation import MetricRequest
from kexport.field.trust import Trust
from kexport.field.verification.request import Verification
from kexport.field.verification.run import verify_bundle
from kexport.parity.budget import Budget
from kexport.parity.strictness import Strictness
from kexport.parity.tolerance import Tolerance
from kexport.python_call import public

if TYPE_CHECKING:
    from kexport.field.search import Reference


@public("observe")
def verify(
    path: str | Path,
    runtimes: Sequence[str] | None = None,
    *,
    imports: Sequence[str] = (),
    allow_lambda: bool = False,
    trust: bool = False,
    max_seconds: float | None = None,
    max_bytes: int = 0,
    search: Budget | str | None = None,
    tolerance: Mapping[str, Tolerance | str | float] | None = None,
    observe: Observer = lambda check: None,
    truth: Reference | None = None,
    signed_by: str | Path | None = None,
    labels: object = None,
    metric: str | Callable[..., object] | None = None,
    budgets: bool = False,
) -> Report:
    """Verify a bundle on this machine.

    Args:
        path: the bundle's folder.
        runtimes: names of the runtimes; by default every one that is installed and can read an artifact of the bundle.
        imports: files or modules that register the layers of a `.keras` artifact, or kinds of contract.
        allow_lambda: load the Lambda layers of a `.keras` artifact, which runs the bytecode in it.
        trust: let a SavedModel run any operation, such as one that writes files; and run without limits.
        max_seconds: seconds of each processor core for one call, where that is more than follows from the model's size.
        max_bytes: allow files, and arrays and weights in them, that are larger than usual, up to this size.
        search: how long to search for the inputs on which each runtime is furthest from every other one that is
            installed: `"30s"`, or `"5000"` evaluations. Inputs that reveal a fault are kept in the bundle.
        tolerance: declared limits of some outputs, such as `{"y": "1e-4: 12-bit sensor"}` or `"40dB"`.
        observe: called with each check as soon as it is made.
        truth: the right outputs for any input; the search then compares every runtime with it.
        signed_by: a public key in PEM, as a file or as text: before anything in the bundle is read, it must have been
            signed with it. Needs `kexport[sign]`.
        labels: of the recorded samples that the bundle keeps, as `kexport.build` takes them.
        metric: of these samples, as `kexport.build` takes it, computed for every artifact in its runtimes.
        budgets: check every budget again that the bundle was built with: the times of calls are measured, and one of a
            metric needs `labels`. By default size and ratio of signal to noise are checked, and a metric that is given.

    Returns:
        Every requested check; one that could not run has not passed.

    Raises:
        AuthenticityError: the bundle was not signed with that key, or is not what was signed.
        BundleError: the bundle cannot be read.
        UsageError: there is no such runtime or output, or a budget or a tolerance cannot be read.
    """
    trusted = Trust(tuple(imports), allow_lambda, unrestricted=trust, seconds=max_seconds, max_bytes=max_bytes)
    strictness = Strictness.of(search, tolerance)
    requested = None if runtimes is None else tuple(map(known_runtimes.get, dict.fromkeys(runtimes)))
    signed = None if signed_by is None else require_signed(path, signed_by, max_bytes)
    if signed is not None:
        observe(signed.check)
    bundle, asked = Bundle.open(path, max_bytes), MetricRequest.of(metric, labels)
    evaluation = None if asked is None else asked.of_bundle(bundle)
    verification = Verification(bundle, requested, trusted, strictness, truth, evaluation=evaluation, budgets=budgets)
    report = verify_bundle(verification, observe)
    return report if signed is None else signed.recorded(report)
