"""A bill of materials of a bundle, CycloneDX 1.6 in JSON: its files, the packages that built it, the code it needs.

Everything comes from the bundle, so that a bundle has one bill of materials, byte by byte.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable
from urllib.parse import quote

from kexport.bundle.code_entry import CodeEntry
from kexport.bundle.folder import Bundle
from kexport.bundle.manifest import FILE_NAME
from kexport.bundle.signed_statement import files_of

_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://cyclonedx.org/kexport")
_SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
_Component = dict[str, object]


def render(bundle: Bundle) -> str:
    """The bill of materials, as the text of a file.

    Raises:
        AuthenticityError: a file of the bundle cannot be read, or is a symbolic link.
    """
    manifest, files = bundle.manifest, files_of(bundle.path, bundle.most())
    versions = {name: version for name, version in manifest.provenance.items() if isinstance(version, str)}
    others = {name: value for name, value in manifest.provenance.items() if name not in versions}
    packages = [_package(name, version) for name, version in versions.items()]
    code = [_code(entry) for entry in manifest.code]
    model: _Component = {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": manifest.name,
        "hashes": _hashes(files[FILE_NAME]),
        "properties": [{"name": f"kexport:{name}", "value": json.dumps(value)} for name, value in others.items()],
        "components": [_file(name, sha256) for name, sha256 in files.items()],
    }
    bill = {
        "$schema": _SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(_SPACE, json.dumps(files)).urn,
        "version": 1,
        "metadata": {"component": model},
        "components": [*packages, *code],
        "dependencies": [{"ref": "model", "dependsOn": _references([*packages, *code])}],
    }
    return json.dumps(bill, indent=2) + "\n"


def _package(name: str, version: str) -> _Component:
    if name == "python":
        identifier = f"pkg:generic/python@{quote(version, safe='')}"
    else:
        identifier = f"pkg:pypi/{re.sub('[-_.]+', '-', name).lower()}@{quote(version, safe='')}"
    kind = "platform" if name == "python" else "library"
    return {"type": kind, "bom-ref": identifier, "name": name, "version": version, "purl": identifier}


def _file(name: str, sha256: str) -> _Component:
    return {"type": "file", "bom-ref": f"file:{name}", "name": name, "hashes": _hashes(sha256)}


def _code(entry: CodeEntry) -> _Component:
    """What the model needs of the user's code; its digest is that of the text, whatever its line ends."""
    reference = "code:" + hashlib.sha256(json.dumps(entry.to_json(), sort_keys=True).encode()).hexdigest()[:16]
    component: _Component = {"type": "library", "bom-ref": reference, "name": entry.name}
    if entry.distribution and entry.version:
        package = _package(entry.distribution, entry.version)
        component |= {"version": entry.version, "purl": package["purl"]}
    facts = {"kind": str(entry.kind), "place": entry.place, "sha256": entry.sha256}
    component["properties"] = [{"name": f"kexport:{key}", "value": value} for key, value in facts.items() if value]
    return component


def _hashes(sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": sha256}]


def _references(components: Iterable[_Component]) -> list[object]:
    return list(dict.fromkeys(component["bom-ref"] for component in components))
