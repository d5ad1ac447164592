"""Fetches a model from the Hugging Face hub, and says in one line why it can't.

Only the files that are needed are taken: the configuration, the tokenizer, and the weights once, as safetensors where
the repository has them. Python files come along only where the operator trusts them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from core.errors import HubUnreachable, ModelBroken, ModelError, ModelNotFound
from core.generation.model_folder import BIN_INDEX, SAFETENSORS_INDEX, read_json, require_trust
from core.generation.model_store import ModelStore, storage_errors
from core.generation.progress import Progress
from core.generation.source import HubSource

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import ModelInfo

_TIMEOUT_S = 20.0
_TEXT_FILES = frozenset(
    {
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.json",
        "merges.txt",
        "tokenizer.model",
        "chat_template.jinja",
    }
)


@dataclass(frozen=True, slots=True)
class HubAccess:
    #: For gated and private models; "" uses what `hf auth login` kept, if anything.
    token: str = field(default="", repr=False)
    #: A mirror; "" is huggingface.co, or what HF_ENDPOINT says.
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A repository at one commit, whole on this disk."""

    folder: Path
    licence: str


def fetch_snapshot(
    source: HubSource, store: ModelStore, access: HubAccess, progress: Progress, *, afresh: bool
) -> Snapshot:
    """Downloads what is missing, and all of it where `afresh`. Goes on where an earlier download was cut off.

    Raises HubUnreachable, ModelNotFound, ModelBroken, or ModelError for a refused token, a full disk, or a repository
    whose code would have to be trusted.
    """
    from huggingface_hub import HfApi

    progress(f"Asking the hub for {source.repository}", None)
    with hub_errors(source), storage_errors(store.cache_dir):
        api = HfApi(endpoint=access.endpoint or None, token=access.token or None)
        info = api.model_info(
            source.repository, revision=source.revision or None, files_metadata=True, timeout=_TIMEOUT_S
        )
        sizes = {sibling.rfilename: sibling.size or 0 for sibling in info.siblings or ()}
        texts = sorted(_TEXT_FILES & sizes.keys()) + [
            name for name in sizes if source.own_code and name.endswith(".py")
        ]
        weights = weight_files(source.repository, sizes)
        total_bytes = sum(sizes[name] for name in (*texts, *weights))
        store.require_space(total_bytes)
        gauge = _Gauge(f"Downloading {source.repository}", total_bytes, progress)
        download = _Download(api, source.repository, info.sha or "", store.hub_dir, afresh)
        folder = download.files(texts, gauge)
        if (folder / "config.json").is_file():
            require_trust(source.repository, read_json(folder / "config.json"), trusted=source.own_code)
        gauge.before_bytes = sum(sizes[name] for name in texts)
        download.files(weights, gauge)
    return Snapshot(folder, _licence(info))


@dataclass(frozen=True, slots=True)
class _Download:
    """One commit of a repository, taken part by part: the small files are looked at before the large ones come."""

    api: HfApi
    repository: str
    commit: str
    hub_dir: Path
    afresh: bool

    def files(self, names: Sequence[str], gauge: _Gauge) -> Path:
        folder = self.api.snapshot_download(
            self.repository,
            revision=self.commit,
            cache_dir=self.hub_dir,
            allow_patterns=list(names),
            etag_timeout=_TIMEOUT_S,
            force_download=self.afresh,
            tqdm_class=gauge.bar_class(),
        )
        return Path(folder)


def weight_files(repository: str, names: Iterable[str]) -> list[str]:
    """Safetensors where the repository has them; raises ModelBroken where it has no readable weights."""
    there = [name for name in names if "/" not in name]
    for index, single, shards, suffix in (
        (SAFETENSORS_INDEX, "model.safetensors", "model-", ".safetensors"),
        (BIN_INDEX, "pytorch_model.bin", "pytorch_model-", ".bin"),
    ):
        if index in there:
            return [index, *(name for name in there if name.startswith(shards) and name.endswith(suffix))]
        if single in there:
            return [single]
    raise ModelBroken(
        f"{repository} holds no weights that can be used (model.safetensors or pytorch_model.bin); "
        "take the repository that it was converted from"
    )


def _licence(info: ModelInfo) -> str:
    tags = [tag for tag in info.tags or () if tag.startswith("license:")]
    return tags[0].removeprefix("license:") if tags else ""


@contextmanager
def hub_errors(source: HubSource) -> Iterator[None]:
    """Translates everything that huggingface_hub raises."""
    import httpx2
    from huggingface_hub import errors

    name = source.repository
    try:
        yield
    except errors.GatedRepoError as error:
        raise ModelError(
            f"{name} is gated: ask for access at https://huggingface.co/{name}, then set your token (`hub.token`, or "
            "BANTER_HUB__TOKEN in the environment)"
        ) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise ModelNotFound(
            f"the hub knows no {name}, or it is private; check the name{_folder_hint(name)}, "
            "or set your token (`hub.token`)"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise ModelNotFound(
            f"{name} has no revision {source.revision!r}; correct `revision` in its settings"
        ) from error
    except errors.HfHubHTTPError as error:
        raise _http_error(name, error.response.status_code) from error
    except (httpx2.HTTPError, OSError, ValueError) as error:
        raise HubUnreachable(_unreachable(name, error)) from error


def _folder_hint(name: str) -> str:
    return f" (the folder is ./{name})" if Path(name).is_dir() else ""


def _http_error(name: str, status: int) -> ModelError:
    if status in (401, 403):
        return ModelError(f"the hub refused {name} (HTTP {status}): check your token (`hub.token`)")
    return HubUnreachable(
        f"the hub answered HTTP {status} for {name}; run `banter models pull {name}` again later, "
        "or set a mirror (`hub.endpoint`)"
    )


def _unreachable(name: str, error: Exception) -> str:
    told = " ".join(str(error.__cause__ or error).split())[:200]
    return (
        f"the hub can't be reached for {name} ({told}); check the network, the proxy or the mirror (`hub.endpoint`) "
        f"and that HF_HUB_OFFLINE is not set, then run `banter models pull {name}` again, or use a local folder"
    )


class _Gauge:
    """Adds up what huggingface_hub's threads have written; only one of them reports at a time, and never less."""

    def __init__(self, step: str, total_bytes: int, progress: Progress) -> None:
        self._step = step
        self._total_bytes = max(1, total_bytes)
        self._progress = progress
        self._lock = threading.Lock()
        self._done_bytes = 0.0
        #: Of the parts that are whole.
        self.before_bytes = 0

    def reached(self, part_bytes: float) -> None:
        with self._lock:
            self._done_bytes = max(self._done_bytes, self.before_bytes + part_bytes)
            self._progress(self._step, min(1.0, self._done_bytes / self._total_bytes))

    def bar_class(self) -> type:
        """What huggingface_hub takes for tqdm's class: its bars of bytes report, its bar of files does not."""
        gauge = self

        class Bar:
            format_dict: ClassVar[dict[str, float]] = {}

            def __init__(self, *, total: float | None = None, unit: str = "it", **_display: object) -> None:
                self.total = total
                self.n = 0.0
                self._counts_bytes = unit == "B"

            def __enter__(self) -> Self:
                return self

            def __exit__(self, *_error: object) -> None:
                return None

            def update(self, n: float | None = 1) -> None:
                self.n += n or 0
                if self._counts_bytes and self.n > 0:
                    gauge.reached(self.n)

            def refresh(self, *_args: object, **_options: object) -> None:
                return None

            close = set_description = set_description_str = set_postfix_str = refresh

        return Bar
