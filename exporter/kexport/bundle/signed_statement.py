"""What a signature states: the name and SHA-256 of every file of a bundle, but for the file with the signature.

It is the in-toto statement that OpenSSF model-signing writes, so that its verifier reads ours, and this one reads its.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kexport.bundle import json_text
from kexport.bundle.digests import digest
from kexport.bundle.json_files import list_of, mapping, member, object_of, text
from kexport.bundle.json_text import MOST_JSON, JsonObject
from kexport.bundle.regular_files import NO_LIMIT
from kexport.errors import ArtifactError, AuthenticityError

FILE_NAME = "model.sig"
_TYPE = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://model_signing/signature/v1.0"
_METHOD, _ALGORITHM = "files", "sha256"
_SHOWN = 3


@dataclass(frozen=True)
class SignedStatement:
    """The files of a bundle, as a signature states them.

    Attributes:
        name: the name of the bundle.
        files: the SHA-256 of each file, by its path in the bundle.
    """

    name: str
    files: Mapping[str, str]

    def to_bytes(self) -> bytes:
        """The bytes to sign."""
        names = sorted(self.files, key=PurePosixPath)
        statement = {
            "_type": _TYPE,
            "subject": [{"name": self.name, "digest": {_ALGORITHM: _root(self.files[name] for name in names)}}],
            "predicateType": _PREDICATE,
            "predicate": {
                "serialization": {
                    "method": _METHOD,
                    "hash_type": _ALGORITHM,
                    "allow_symlinks": False,
                    "ignore_paths": [FILE_NAME],
                },
                "resources": [{"name": name, "algorithm": _ALGORITHM, "digest": self.files[name]} for name in names],
            },
        }
        return json.dumps(statement, indent=2).encode()

    @classmethod
    def from_bytes(cls, content: bytes, most: int = MOST_JSON) -> SignedStatement:
        """The inverse of `to_bytes`, of at most so many bytes.

        Raises:
            KexportError, TypeError, ValueError: it is not such a statement.
        """
        data = mapping(json_text.parse(content, "the signed statement", most=most))
        subjects = member(data, "subject", list_of(mapping))
        predicate = member(data, "predicate", mapping)
        kind = (member(data, "_type", text), member(data, "predicateType", text))
        method = member(member(predicate, "serialization", mapping), "method", text)
        if kind != (_TYPE, _PREDICATE) or method != _METHOD or len(subjects) != 1:
            raise ValueError(f"it is of type {kind[1]}, by {method}, and not {_PREDICATE}, by {_METHOD}")
        resources = member(predicate, "resources", list_of(object_of(_resource)))
        files = dict(resources)
        if len(files) != len(resources):
            raise ValueError("it names a file twice")
        whole = member(member(subjects[0], "digest", mapping), _ALGORITHM, text)
        if whole != _root(sha256 for _, sha256 in resources):
            raise ValueError("its digest is not that of the files that it names")
        return cls(member(subjects[0], "name", text), files)

    def require(self, bundle: Path, most: int) -> None:
        """Raise `AuthenticityError` unless the folder holds these files, with these contents, and no others.

        Args:
            bundle: the folder.
            most: the largest size of a file in bytes.
        """
        found = _names(bundle)
        missing = [name for name in self.files if name not in found]
        extra = [name for name in found if name not in self.files]
        # Names first: what was added may be large.
        now = {} if missing or extra else files_of(bundle, most)
        changed = [name for name, sha256 in now.items() if self.files[name] != sha256]
        if not (changed or missing or extra):
            return
        parts = (("changed", changed), ("missing", missing), ("not signed", extra))
        raise AuthenticityError(
            f"{bundle} is not what was signed",
            got="; ".join(f"{what}: {_brief(names)}" for what, names in parts if names),
            expected=f"the {len(self.files)} files of {self.name!r}",
            hint="the signature is that of another bundle or build, or the bundle was changed; do not use it"
            if changed or missing
            else "delete the files that are not signed; or look at them, and sign again",
        )


def files_of(bundle: Path, most: int = NO_LIMIT) -> dict[str, str]:
    """The SHA-256 of every file below a bundle's folder, by its path in it, but for the file with the signature.

    Args:
        bundle: the folder.
        most: the largest size of a file in bytes.

    Raises:
        AuthenticityError: something there is neither a file nor a folder, or cannot be read.
    """
    files = {}
    for name in _names(bundle):
        try:
            files[name] = digest(bundle / name, bundle, most)
        except ArtifactError as error:
            raise AuthenticityError(f"{name} of {bundle} cannot be read", got=error.facts["got"]) from None
    return files


def _names(bundle: Path) -> list[str]:
    names = []

    def refuse(error: OSError) -> None:
        raise AuthenticityError(f"{bundle} cannot be read", got=error.strerror or error) from None

    for folder, folders, files in os.walk(bundle, onerror=refuse):
        for name in (*folders, *files):
            path = Path(folder, name)
            place = path.relative_to(bundle).as_posix()
            if path.is_symlink():
                raise AuthenticityError(f"{bundle} holds a symbolic link", got=place, hint="no signature covers links")
            if name in files and place != FILE_NAME:
                names.append(place)
    return sorted(names, key=PurePosixPath)


def _resource(data: JsonObject) -> tuple[str, str]:
    name, sha256 = member(data, "name", text), member(data, "digest", text)
    if member(data, "algorithm", text) != _ALGORITHM or len(bytes.fromhex(sha256)) != hashlib.sha256().digest_size:
        raise ValueError(f"the digest of {name} is no {_ALGORITHM}")
    return name, sha256.lower()


def _root(digests: Iterable[str]) -> str:
    hasher = hashlib.sha256()
    for sha256 in digests:
        hasher.update(bytes.fromhex(sha256))
    return hasher.hexdigest()


def _brief(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
