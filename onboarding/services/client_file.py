"""`portal-config` as the portal serves it: one file, and the digest by which people know it."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings


@dataclass(frozen=True, slots=True)
class ClientFile:
    content: bytes
    sha256: str


@lru_cache(maxsize=1)
def client_file() -> ClientFile:
    content = settings.CLIENT_FILE.read_bytes()
    return ClientFile(content, hashlib.sha256(content).hexdigest())
