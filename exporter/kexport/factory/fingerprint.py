"""Whether a bundle is what a build would write: all that a build follows from, as one digest in the report.

It is known before a build where the model is a file, or a model that kexport itself offers: what the code of others
does can only be seen by running it.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from kexport import runtimes
from kexport.bundle import counterexamples, manifest, store, witnesses
from kexport.bundle.digests import digest
from kexport.bundle.folder import Bundle
from kexport.errors import ArtifactError, KexportError
from kexport.factory.keras_settings import keras_settings
from kexport.factory.provenance import provenance, versions
from kexport.field.integrity import check_digests

if TYPE_CHECKING:
    from kexport.factory.request import BuildPlan, BuildRequest

_OWN = ("kexport", "kexport_layers")
#: Packages that shape what is written beside those that the manifest names.
_ALSO = ("ml-dtypes", "protobuf", "h5py", "scipy", "tf-keras", "flatbuffers")


def fingerprint(plan: BuildPlan) -> str:
    """The SHA-256 of the model, of all settings, of our own code and of the versions of packages.

    Returns:
        It; empty where code of the user, objects in memory or the clock have a part in what is built, or where the
        model has no digest, as a SavedModel with links has none.

    Raises:
        KexportError: a file cannot be read.
    """
    request, source = plan.request, plan.source
    declared, conversion, trust = request.declarations, request.conversion, request.trust
    if source.content is None or not _follows_from_texts(request):
        return ""
    try:
        model = source.content()
    except ArtifactError:
        return ""
    samples = declared.samples
    parts = {
        "name": source.name,
        "model": model,
        "settings": dict(request.settings),
        "domain": dict(declared.domain),
        "samples": digest(Path(samples)) if isinstance(samples, str | Path) else None,
        "contracts": declared.contracts,
        "unseen": dict(declared.unseen),
        "signatures": list(declared.signatures),
        "formats": [form.name for form in plan.formats],
        "chosen": conversion.formats is not None,
        "options": dict(conversion.options),
        "precisions": repr(conversion.precisions),
        "limits": [trust.unrestricted, trust.seconds, trust.max_bytes],
        "strictness": repr(request.strictness),
        "code": own_code(),
        "versions": package_versions(),
        "platform": [sys.platform, platform.machine()],
        "keras": keras_settings(),
    }
    return digest_of(parts)


def with_bundle(request: str, folder: Path) -> str:
    """The SHA-256 of a fingerprint and of what tells what came of it: the manifest, and inputs that broke something.

    A search may add such inputs to a bundle later, and they are tried again by whoever builds it.

    Args:
        request: a fingerprint; where it is empty, so is the result.
        folder: of the bundle.

    Raises:
        KexportError: a file cannot be read.
    """
    inputs = sorted([*witnesses.paths(folder), *counterexamples.paths(folder)])
    return request and digest_of([request, *(digest(folder / name) for name in (manifest.FILE_NAME, *inputs))])


def digest_of(parts: object) -> str:
    """The SHA-256 of what can be written as JSON, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _follows_from_texts(request: BuildRequest) -> bool:
    """Whether texts and files say all that is requested, and nothing in it is timed."""
    declared, conversion, contracts = request.declarations, request.conversion, request.declarations.contracts
    return (
        isinstance(contracts, tuple)
        and all(isinstance(each, str) for each in (*contracts, *declared.domain.values()))
        and (declared.samples is None or isinstance(declared.samples, str | Path))
        and declared.metric is None
        and request.strictness.search is None
        and conversion.precisions.budgets.latency is None
        and not request.trust.imports
        and not request.trust.allow_lambda
    )


def unchanged(request: BuildRequest) -> Bundle | None:
    """The bundle that is there, if a build would write it again and none of its files has changed; else None.

    Raises:
        KexportError: the request is wrong.
    """
    if not _follows_from_texts(request):
        return None
    plan = request.plan()
    if not plan.target.is_dir() or store.rejected(plan.target).exists():
        return None  # a build carries over what it finds in one that was rejected
    try:
        bundle = Bundle.open(plan.target, request.trust.max_bytes)
        report = bundle.report
        known = report.passed and report.request and report.request == with_bundle(fingerprint(plan), bundle.path)
        foreign = any(entry.distribution != "kexport" for entry in bundle.manifest.code)
        if not known or foreign or not all(check.passed for check in check_digests(bundle).checks):
            return None
    except KexportError:  # a build replaces it, or says what is wrong
        return None
    return bundle


def package_versions() -> dict[str, object]:
    """The versions of all packages that shape what is written."""
    return {**provenance(), **versions(_packages())}


@cache
def own_code() -> str:
    """The SHA-256 of the source of kexport and of the layers that come with it."""
    hasher = hashlib.sha256()
    for name, path in sorted(_sources().items()):
        content = path.read_bytes()
        hasher.update(f"{name}\t{len(content)}\n".encode())
        hasher.update(content)
    return hasher.hexdigest()


def _sources() -> Mapping[str, Path]:
    found: dict[str, Path] = {}
    for package in _OWN:
        spec = find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            found |= {f"{package}/{path.relative_to(folder).as_posix()}": path for path in Path(folder).rglob("*.py")}
    return found


def _packages() -> Iterable[str]:
    return {*_ALSO, *(name for runtime in runtimes.every() for name in runtime.package.distributions)}
