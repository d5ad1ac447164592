"""Files that people or the bot sent."""

import hashlib
from dataclasses import dataclass

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.parameters import Upload
from bots.sandbox.local_telegram.refusals import bad_request

_MOST = 10_000


@dataclass(frozen=True, slots=True)
class StoredFile:
    id: str
    upload: Upload
    #: As the sender's client says; the same as the content's but where a test says otherwise.
    size: int

    @property
    def path(self) -> str:
        return f"documents/{self.id}"

    def document(self) -> JsonObject:
        """As a message carries it."""
        return {
            "file_id": self.id,
            "file_unique_id": f"u{self.id}",
            "file_name": self.upload.name,
            "mime_type": self.upload.content_type,
            "file_size": self.size,
        }

    def photo(self) -> list[JsonObject]:
        return [
            {"file_id": self.id, "file_unique_id": f"u{self.id}", "width": 90, "height": 90, "file_size": self.size}
        ]


class Files:
    def __init__(self) -> None:
        self._files: dict[str, StoredFile] = {}

    def keep(self, upload: Upload, size: int | None = None) -> StoredFile:
        if len(self._files) >= _MOST:
            raise bad_request("too many files are kept")
        named = hashlib.sha256(upload.content + upload.name.encode()).hexdigest()[:16]
        file = StoredFile(f"file{len(self._files)}-{named}", upload, len(upload.content) if size is None else size)
        self._files[file.id] = file
        return file

    def find(self, file_id: str) -> StoredFile:
        """Raises Refused."""
        if file_id not in self._files:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        return self._files[file_id]

    def at(self, path: str) -> StoredFile | None:
        return next((file for file in self._files.values() if file.path == path), None)
