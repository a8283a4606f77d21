"""Signing a bundle, and checking by whom it was signed: all of its files, so that a change of any of them shows."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from kexport.bundle.envelope import Envelope, to_sign
from kexport.bundle.folder import Bundle
from kexport.bundle.json_text import MOST_JSON, read_json
from kexport.bundle.regular_files import most_of
from kexport.bundle.report import Check, CheckKind, Report, Subject
from kexport.bundle.signed_statement import FILE_NAME, SignedStatement, files_of
from kexport.errors import FAILED, AuthenticityError, KexportError, UsageError
from kexport.field import keys
from kexport.field.integrity import check_digests


@dataclass(frozen=True)
class Authenticity:
    """A bundle that was signed with a key.

    Attributes:
        key: what identifies the key.
        files: how many files the signature covers.
    """

    key: str
    files: int

    @property
    def check(self) -> Check:
        """The same, as a check of a report."""
        return Check(CheckKind.DIGEST, True, Subject(FILE_NAME), facts=(self._words,))

    def recorded(self, report: Report) -> Report:
        """The report, with the check and a note of it."""
        return replace(report, checks=(self.check, *report.checks), notes=(self._words, *report.notes))

    @property
    def _words(self) -> str:
        return f"{self.files} files are signed with key {self.key[:16]}..."


def sign(path: str | Path, key: str | Path, password: Callable[[], str] | None = None) -> Authenticity:
    """Sign all files of a bundle; a signature that it had is replaced.

    Args:
        path: the bundle's folder.
        key: the private key, as a file or as text in PEM.
        password: asks for the password of an encrypted key.

    Raises:
        AuthenticityError: a file of the bundle is not the one that was built, or a check of its build failed.
        UncheckedError: the package that signs is not installed.
        UsageError: the key cannot be used, or the bundle cannot be written.
    """
    keys.require_cryptography()
    private = keys.private_key(keys.read_pem(key), password)
    bundle = Bundle.open(path)
    _require_proven(bundle)
    statement = SignedStatement(bundle.manifest.name, files_of(bundle.path)).to_bytes()
    public = private.public_key()
    envelope = Envelope(statement, keys.signature_of(private, to_sign(statement)), keys.name_of(public))
    try:
        _write(bundle.path / FILE_NAME, json.dumps(envelope.to_json()) + "\n")
    except OSError as error:
        raise UsageError(f"{bundle.path} cannot be written", got=error.strerror or error) from None
    return _checked(bundle.path, public)


def require_signed(path: str | Path, key: str | Path, max_bytes: int = 0) -> Authenticity:
    """Raise an error unless a bundle was signed with a key, and is what was signed; nothing in it was read before.

    Args:
        path: the bundle's folder.
        key: the public key, as a file or as text in PEM.
        max_bytes: what limits on the sizes of its files are raised to.

    Raises:
        AuthenticityError: the bundle is not signed, not with this key, or is not what was signed.
        UncheckedError: the package that verifies is not installed.
        UsageError: the key cannot be used.
    """
    keys.require_cryptography()
    return _checked(Path(path), keys.public_key(keys.read_pem(key)), max_bytes)


def _checked(bundle: Path, key: keys.PublicKey, max_bytes: int = 0) -> Authenticity:
    try:
        subject, most = f"{FILE_NAME} of {bundle}", max(MOST_JSON, max_bytes)
        envelope = Envelope.from_json(read_json(bundle / FILE_NAME, subject, bundle, most))
        keys.require_signature(key, envelope.signature, to_sign(envelope.payload), envelope.hint)
        statement = SignedStatement.from_bytes(envelope.payload, most)
    except (FileNotFoundError, NotADirectoryError):
        got = f"no {FILE_NAME} in it" if bundle.is_dir() else "no such folder"
        hint = "get it from whoever built it, or sign it: kexport sign"
        raise AuthenticityError(f"{bundle} is not signed", got=got, hint=hint) from None
    except AuthenticityError:
        raise
    except (KexportError, TypeError, ValueError) as error:
        raise AuthenticityError(
            f"{FILE_NAME} of {bundle} is damaged", got=_why(error), hint="do not use this bundle"
        ) from None
    statement.require(bundle, most_of(max_bytes=max_bytes))
    return Authenticity(keys.name_of(key), len(statement.files))


def _why(error: Exception) -> object:
    return error.facts["got"] if isinstance(error, KexportError) else error


def _require_proven(bundle: Bundle) -> None:
    """Raise `AuthenticityError` where a signature would vouch for what the bundle's own evidence contradicts."""
    for check in check_digests(bundle).checks:
        if not check.passed:
            raise AuthenticityError(
                f"{bundle.path} is not signed: {check.subject.artifact} is not the file that was built",
                hint="copy or build the bundle again",
            )
    if bundle.report.exit_code == FAILED:
        raise AuthenticityError(
            f"{bundle.path} is not signed: a check of its build failed", hint=f"kexport inspect {bundle.path}"
        )


def _write(path: Path, content: str) -> None:
    """Write a file atomically."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".writing")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
