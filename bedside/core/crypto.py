"""Encryption of personal data at rest (AES-256-GCM) and keyed blind indexes to find it by.

A ciphertext is ``0x01 | key id (4 bytes) | nonce (12 bytes) | sealed``: the key id lets old rows be read while
``bedside rotate-keys`` writes them anew. The context (which column) is authenticated, so that a value moved to another
column does not decrypt. `cryptography` is used rather than Tink for its wheels: one for every Python from 3.11 on.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = b"\x01"
NONCE_BYTES = 12
HEADER_BYTES = 1 + 4 + NONCE_BYTES
TAG_BYTES = 16


class DecryptionFailed(Exception):
    """The key is unknown, the bytes were altered, or they belong to another column."""


@dataclass(frozen=True)
class Keyring:
    """Keys by id (1 .. 2**32 - 1), the id that new values are sealed with, and the blind index's own key."""

    keys: dict[int, bytes]
    primary: int
    index_key: bytes
    _ciphers: dict[int, AESGCM] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_secrets(cls, secrets: dict[str, object]) -> Keyring:
        """From the key file: ``encryption_keys`` {id: base64}, ``primary_key_id``, ``blind_index_key`` base64."""
        raw = secrets["encryption_keys"]
        if not isinstance(raw, dict):
            raise ValueError("encryption_keys must be an object of id: base64 key")
        keys = {int(key_id): base64.b64decode(value) for key_id, value in raw.items()}
        index_key = base64.b64decode(str(secrets["blind_index_key"]))
        return cls(keys=keys, primary=int(str(secrets["primary_key_id"])), index_key=index_key)

    def cipher(self, key_id: int) -> AESGCM:
        if key_id not in self._ciphers:
            if key_id not in self.keys:
                raise DecryptionFailed(f"no key with id {key_id}")
            self._ciphers[key_id] = AESGCM(self.keys[key_id])
        return self._ciphers[key_id]

    def encrypt(self, plaintext: str, context: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        header = VERSION + self.primary.to_bytes(4, "big") + nonce
        return header + self.cipher(self.primary).encrypt(nonce, plaintext.encode(), context.encode())

    def decrypt(self, sealed: bytes, context: str) -> str:
        sealed = bytes(sealed)
        if len(sealed) < HEADER_BYTES or sealed[:1] != VERSION:
            raise DecryptionFailed("not a sealed value")
        nonce = sealed[5:HEADER_BYTES]
        try:
            return self.cipher(key_id_of(sealed)).decrypt(nonce, sealed[HEADER_BYTES:], context.encode()).decode()
        except InvalidTag as error:
            raise DecryptionFailed("altered, or of another column") from error

    def blind_index(self, kind: str, value: str) -> bytes:
        """Sixteen bytes that are equal for equal values (after normalizing) and tell nothing without the key."""
        message = f"{kind}\x00{normalize(kind, value)}".encode()
        return hmac.new(self.index_key, message, hashlib.sha256).digest()[:16]


def key_id_of(sealed: bytes) -> int:
    return int.from_bytes(bytes(sealed)[1:5], "big")


def normalize(kind: str, value: str) -> str:
    """Emails and names are found whatever their case; numbers are kept in E.164; tokens are taken as they are."""
    stripped = value.strip()
    return stripped.casefold() if kind in {"email", "name"} else stripped


@lru_cache(maxsize=1)
def keyring() -> Keyring:
    from django.conf import settings

    return settings.KEYRING


def encrypt(plaintext: str, context: str) -> bytes:
    return keyring().encrypt(plaintext, context)


def decrypt(sealed: bytes, context: str) -> str:
    return keyring().decrypt(sealed, context)


def blind_index(kind: str, value: str) -> bytes:
    return keyring().blind_index(kind, value)
