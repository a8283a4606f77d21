"""The file with a signature: a DSSE envelope in a Sigstore bundle, as OpenSSF model-signing writes it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from kexport.bundle.json_files import list_of, mapping, member, text
from kexport.bundle.json_text import Json

_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True)
class Envelope:
    """A signed payload.

    Attributes:
        payload: what is signed.
        signature: the signature of `to_sign(payload)`.
        hint: which key it is that signed, as `kexport.field.keys` names keys; not signed itself.
    """

    payload: bytes
    signature: bytes
    hint: str

    def to_json(self) -> Mapping[str, object]:
        """The content of the file."""
        return {
            "mediaType": _MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": self.hint}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": base64.b64encode(self.payload).decode(),
                "payloadType": _PAYLOAD_TYPE,
                "signatures": [{"sig": base64.b64encode(self.signature).decode(), "keyid": ""}],
            },
        }

    @classmethod
    def from_json(cls, data: Json) -> Envelope:
        """The inverse of `to_json`.

        Raises:
            TypeError, ValueError: it is not such an envelope.
        """
        whole = mapping(data)
        inner = member(whole, "dsseEnvelope", mapping)
        types = member(whole, "mediaType", text), member(inner, "payloadType", text)
        if types != (_MEDIA_TYPE, _PAYLOAD_TYPE):
            raise ValueError(f"its types are {', '.join(types)}")
        signatures = member(inner, "signatures", list_of(mapping))
        if len(signatures) != 1:
            raise ValueError(f"it has {len(signatures)} signatures instead of one")
        key = mapping(member(whole, "verificationMaterial", mapping).get("publicKey", {}))
        hint = key.get("hint")
        payload, signature = member(inner, "payload", _decoded), member(signatures[0], "sig", _decoded)
        return cls(payload, signature, hint if isinstance(hint, str) else "")


def to_sign(payload: bytes) -> bytes:
    """The bytes that are signed for a payload: DSSE's encoding of its type, its length and itself."""
    return b"DSSEv1 %d %s %d %s" % (len(_PAYLOAD_TYPE), _PAYLOAD_TYPE.encode(), len(payload), payload)


def _decoded(value: Json) -> bytes:
    try:
        return base64.b64decode(text(value), validate=True)
    except binascii.Error as error:
        raise ValueError(f"it is not base64: {error}") from None
