"""The part of the cache folder that holds models: what is whole, what is being made, and who may make it.

models/<key>/                 a whole model; it appears by one rename and is never changed afterwards
models/.building-<key>/       being made, or left over from a crash; only the holder of the lock touches it
models/.<key>.lock            held by the process that makes it
models/records/<digest>.json  what a name that is not a key stands for
hub/                          huggingface_hub's own cache
"""

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import ModelError
from core.generation.progress import Progress

LOCK_TIMEOUT_S = 7200.0
_LOCK_POLL_S = 0.5
_FULL = (errno.ENOSPC, errno.EDQUOT)
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)
#: What `storage_errors` has an answer for.
STORAGE_ERRNOS = (*_FULL, *_READ_ONLY)


class ModelStore:
    """`key` and `kind` are this program's own words; `name` may be anybody's, and only its digest becomes a path."""

    def __init__(self, cache_dir: Path) -> None:
        self.cache_dir = cache_dir
        self.hub_dir = cache_dir / "hub"
        self._models = cache_dir / "models"
        self._records = self._models / "records"

    def folder(self, key: str) -> Path:
        return self._models / key

    @contextmanager
    def lock(self, key: str, progress: Progress) -> Iterator[None]:
        """One process at a time; the others wait. The lock of a process that died is free at once."""
        from filelock import FileLock, Timeout

        with storage_errors(self.cache_dir):
            self._models.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._models / f".{key}.lock")
            deadline = time.monotonic() + LOCK_TIMEOUT_S
            while not lock.is_locked:
                try:
                    lock.acquire(timeout=_LOCK_POLL_S)
                except Timeout:
                    progress("Waiting for another process that is getting this model", None)
                    if time.monotonic() > deadline:
                        raise ModelError(
                            f"another process has been getting {key} for too long; end it, then try again"
                        ) from None
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def building(self, key: str, disk_bytes: int) -> Iterator[Path]:
        """A fresh folder that becomes `folder(key)` when the block ends well, and is gone otherwise.

        The lock of `key` is held by the caller.
        """
        temporary = self._models / f".building-{key}"
        with storage_errors(self.cache_dir, disk_bytes):
            shutil.rmtree(temporary, ignore_errors=True)
            self.require_space(disk_bytes)
            temporary.mkdir(parents=True)
            try:
                yield temporary
                _sync(temporary)
                shutil.rmtree(self.folder(key), ignore_errors=True)
                temporary.rename(self.folder(key))
            finally:
                shutil.rmtree(temporary, ignore_errors=True)

    def require_space(self, disk_bytes: int) -> None:
        free = shutil.disk_usage(existing_parent(self.cache_dir)).free
        if free < disk_bytes:
            raise ModelError(_disk_full(self.cache_dir, disk_bytes, free))

    def record(self, kind: str, name: str) -> dict[str, object] | None:
        """What `write_record` kept; None where there is nothing, or nothing readable."""
        return _read_record(self._record_path(kind, name))

    def records(self, kind: str) -> list[dict[str, object]]:
        kept = (_read_record(path) for path in sorted(self._records.glob(f"{kind}-*.json")))
        return [record for record in kept if record is not None]

    def write_record(self, kind: str, name: str, content: dict[str, object]) -> None:
        path = self._record_path(kind, name)
        with storage_errors(self.cache_dir):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(content))
            temporary.replace(path)

    def _record_path(self, kind: str, name: str) -> Path:
        digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:32]
        return self._records / f"{kind}-{digest}.json"


@contextmanager
def storage_errors(folder: Path, disk_bytes: int = 0) -> Iterator[None]:
    """Translates what the disk refuses; `disk_bytes` is what the work takes, if it is known."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise ModelError(_disk_full(folder, disk_bytes, None)) from error
        if error.errno in _READ_ONLY:
            raise ModelError(
                f"{folder} can't be written ({error.strerror}); set `paths.cache` to a folder that can"
            ) from error
        raise


def existing_parent(path: Path) -> Path:
    """`path` itself, or the nearest folder above it that exists."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def _disk_full(folder: Path, disk_bytes: int, free: int | None) -> str:
    need = f"{disk_bytes / 1e6:,.0f} MB are needed" if disk_bytes else "more room is needed"
    rest = "" if free is None else f" and {free / 1e6:,.0f} MB are free"
    way_out = "make room, or set `paths.cache` to a folder on another disk"
    return f"the disk that holds {folder} is full: {need}{rest}; {way_out}"


def _read_record(path: Path) -> dict[str, object] | None:
    try:
        kept = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return kept if isinstance(kept, dict) else None


def _sync(folder: Path) -> None:
    """After a power cut a whole model must be whole: its bytes reach the disk before its name does."""
    for path in (*folder.iterdir(), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
