"""Keys that sign bundles, in PEM: EC P-256, which OpenSSF model-signing verifies too, and Ed25519.

The package `cryptography` does the work; it is imported when a signature is asked for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kexport.bundle.regular_files import read_regular
from kexport.errors import AuthenticityError, UncheckedError, UsageError, reason

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey
    PublicKey = EllipticCurvePublicKey | Ed25519PublicKey

_BEGIN = "-----BEGIN"
_CURVE = "secp256r1"
_KEYS = re.compile(r"-----BEGIN [A-Z ]*KEY-----")
_MOST = 1 << 16  # bytes of a file with a key
_EXPECTED = "a key in PEM: EC P-256 or Ed25519"
_MAKE = "openssl ecparam -name prime256v1 -genkey -noout -out key.pem; openssl ec -in key.pem -pubout -out key.pub"


def require_cryptography() -> None:
    """Raise `UncheckedError` unless the package that signs and verifies is installed."""
    try:
        import cryptography  # noqa: F401  only whether it is there
    except ImportError:
        raise UncheckedError(
            "signatures cannot be checked or made here",
            got="the package cryptography is not installed",
            hint="pip install 'kexport[sign]'",
        ) from None


def read_pem(source: str | Path) -> str:
    """The text of a key: `source` itself where it is in PEM, else the content of that file.

    Raises:
        UsageError: the file cannot be read, or does not hold one key in PEM.
    """
    content = str(source)
    if not content.lstrip().startswith(_BEGIN):
        try:
            content = read_regular(Path(source), most=_MOST).decode("ascii")
        except (OSError, ValueError) as error:
            got = getattr(error, "strerror", None) or "it is not text"
            raise UsageError(f"the key {source} cannot be read", got=got, expected=_EXPECTED) from None
    if _BEGIN not in content:
        raise UsageError(f"{source} holds no key", got="no line that begins with " + _BEGIN, expected=_EXPECTED)
    count = len(_KEYS.findall(content))
    if count > 1:
        raise UsageError("several keys were given where one is meant", got=f"{count} in one PEM", expected=_EXPECTED)
    return content


def private_key(pem: str, password: Callable[[], str] | None = None) -> PrivateKey:
    """The key that signs.

    Args:
        pem: its text.
        password: asks for the password of an encrypted key.

    Raises:
        UsageError: it is no such key, or the password is missing or wrong.
    """
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content, secret = pem.encode(), None
    if "PUBLIC KEY-----" in pem:
        raise UsageError("a private key is needed to sign", got="a public key", hint="keep key.pem, give away key.pub")
    if "ENCRYPTED" in pem:
        if password is None:
            raise UsageError("the key is encrypted", hint="sign where a password can be typed, or decrypt it first")
        secret = password().encode()
    try:
        key = load_pem_private_key(content, secret)
    except Exception as error:  # noqa: BLE001  they are of many types
        raise UsageError("the key cannot be used", got=reason(error), expected=_EXPECTED, hint=_MAKE) from None
    if isinstance(key, Ed25519PrivateKey) or (isinstance(key, EllipticCurvePrivateKey) and key.curve.name == _CURVE):
        return key
    raise _of_another_kind(key)


def public_key(pem: str) -> PublicKey:
    """The key that verifies; raises `UsageError` where it is no such key."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if "PUBLIC KEY-----" not in pem:
        what = pem.partition(_BEGIN)[2].partition("-----")[0].strip().lower()
        hint = "openssl pkey -in key.pem -pubout -out key.pub"
        raise UsageError("a public key is needed to check a signature", got=f"PEM of: {what}", hint=hint)
    try:
        key = load_pem_public_key(pem.encode())
    except Exception as error:  # noqa: BLE001  they are of many types
        raise UsageError("the key cannot be used", got=reason(error), expected=_EXPECTED, hint=_MAKE) from None
    if isinstance(key, Ed25519PublicKey) or (isinstance(key, EllipticCurvePublicKey) and key.curve.name == _CURVE):
        return key
    raise _of_another_kind(key)


def _of_another_kind(key: object) -> UsageError:
    curve = getattr(key, "curve", None)
    got = f"an EC key on {curve.name}" if curve is not None else type(key).__name__.strip("_")
    return UsageError("the key is of another kind", got=got, expected=_EXPECTED, hint=_MAKE)


def name_of(key: PublicKey) -> str:
    """What identifies a key: the SHA-256 of its PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(pem).hexdigest()


def signature_of(key: PrivateKey, content: bytes) -> bytes:
    """The signature of the bytes."""
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256

    return key.sign(content, ECDSA(SHA256())) if isinstance(key, EllipticCurvePrivateKey) else key.sign(content)


def require_signature(key: PublicKey, signature: bytes, content: bytes, hint: str) -> None:
    """Raise `AuthenticityError` unless the signature of the bytes was made with this key.

    Args:
        key: the key.
        signature: the signature.
        content: the bytes.
        hint: which key the signature says that it was made with.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        if isinstance(key, EllipticCurvePublicKey):
            key.verify(signature, content, ECDSA(SHA256()))
        else:
            key.verify(signature, content)
    except InvalidSignature:
        own = name_of(key)
        other = hint not in ("", own)
        raise AuthenticityError(
            "the bundle is not signed with this key",
            got=f"a signature with key {hint[:16]}..." if other else "a signature that is not that of its statement",
            expected=f"key {own[:16]}...",
            hint="give the public key of whoever built it" if other else "it was changed; do not use this bundle",
        ) from None
