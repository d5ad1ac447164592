"""Which model a name means, whether it is on this machine, and how it gets here.

The bots' side: knows files and names, never torch. `resolve` only looks at the disk and is fast; `pull` may download
and convert for minutes and belongs into `asyncio.to_thread`.
"""

import difflib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import ModelBroken, ModelError, ModelNotFound, NoChatFormat
from core.generation.catalogue import CATALOGUE, CatalogueEntry, ModelFormat
from core.generation.hub import HubAccess
from core.generation.model_folder import ModelFolder, open_folder, require_trust
from core.generation.model_store import ModelStore
from core.generation.model_supply import ModelSupply
from core.generation.progress import Progress, silent
from core.generation.request import ModelSpec, SamplingParams
from core.generation.source import FolderSource, HubSource, PickleSource, Source, parse_source


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What an operator can say of one model; "" and 0 leave it to the model."""

    #: A hub name, a folder or a DialoGPT `.pkl` file; "" is the name itself.
    source: str = ""
    #: "chat" or "dialogpt".
    format: str = ""
    #: A file with a jinja2 chat template, instead of the model's own.
    chat_template: str = ""
    revision: str = ""
    #: Runs Python code that comes with the model.
    trust_remote_code: bool = False
    dtype: str = "auto"
    context_window: int = 0


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A model that is whole on this disk."""

    name: str
    #: Holds config.json, the weights and the tokenizer's files.
    folder: Path
    format: ModelFormat
    #: Tokens of prompt and reply together.
    context_window: int
    weights_bytes: int
    dtype: str
    trust_remote_code: bool
    #: The makers' recommendation.
    sampling: SamplingParams
    #: SPDX identifier; "" where it is not known.
    licence: str
    #: A jinja2 template that goes before the folder's own; "" is none.
    chat_template: str

    @property
    def spec(self) -> ModelSpec:
        return ModelSpec(self.name, str(self.folder), self.dtype, self.trust_remote_code)

    def require_dialogue(self) -> None:
        """Raises NoChatFormat for a model that only ranks."""
        if self.format is ModelFormat.RANKER:
            raise NoChatFormat(
                f"{self.name} ranks replies and writes none; choose a dialogue model from `banter models list`"
            )


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A line of `banter models list`."""

    name: str
    #: For people: where it comes from, or what it is.
    summary: str
    licence: str
    on_disk: bool
    #: Of its weights; 0 where they are not on this disk.
    weights_bytes: int
    #: Why it can't be used although it is on this disk; "" where it can.
    problem: str


class Models:
    """Every way to get a model, behind its name."""

    def __init__(
        self, cache_dir: Path, options: Mapping[str, ModelOptions] | None = None, hub: HubAccess | None = None
    ) -> None:
        self._supply = ModelSupply(ModelStore(cache_dir), hub or HubAccess())
        self._options = dict(options or {})

    def list(self) -> tuple[ListedModel, ...]:
        """The catalogue, then what is configured, then what else was pulled from the hub."""
        names = dict.fromkeys([*CATALOGUE, *sorted(self._options), *self._supply.pulled_repositories()])
        return tuple(self._listed(name) for name in names)

    def resolve(self, name: str) -> ResolvedModel:
        """Looks at the disk only.

        Raises ModelNotFound where it must be pulled first, ModelBroken, NoChatFormat, or ModelError where its own code
        would have to be trusted.
        """
        options, source = self._of(name)
        located = self._supply.locate(source)
        if located is None:
            raise ModelNotFound(_not_here(name, source))
        folder = _open(name, source, located.folder)
        require_trust(name, folder.config, trusted=options.trust_remote_code)
        entry = CATALOGUE.get(options.source or name)
        model_format = _choose_format(name, folder, options, entry)
        return ResolvedModel(
            name=name,
            folder=located.folder,
            format=model_format,
            context_window=min(options.context_window or folder.context_window, folder.context_window),
            weights_bytes=folder.weights_bytes,
            dtype=options.dtype,
            trust_remote_code=options.trust_remote_code,
            sampling=entry.sampling if entry else folder.recommended_sampling(model_format),
            licence=entry.licence if entry else located.licence,
            chat_template=_read_template(options.chat_template) if model_format is ModelFormat.CHAT else "",
        )

    def pull(self, name: str, progress: Progress = silent) -> ResolvedModel:
        """Gets the model if it is not here, and again if it is damaged. Blocks; several processes may do it at once.

        Raises what `resolve` raises, and HubUnreachable.
        """
        try:
            return self.resolve(name)
        except ModelNotFound:
            afresh = False
        except ModelBroken:
            afresh = True
        _, source = self._of(name)
        if afresh and isinstance(source, FolderSource):
            return self.resolve(name)
        self._supply.fetch(source, progress, afresh=afresh)
        return self.resolve(name)

    def _of(self, name: str) -> tuple[ModelOptions, Source]:
        options = self._options.get(name, ModelOptions())
        text = options.source or name
        source = CATALOGUE[text].source if text in CATALOGUE else parse_source(text)
        if isinstance(source, HubSource):
            source = replace(source, revision=options.revision, own_code=options.trust_remote_code)
        return options, source

    def _listed(self, name: str) -> ListedModel:
        entry = CATALOGUE.get(name)
        options = self._options.get(name, ModelOptions())
        summary = entry.summary if entry else options.source or name
        try:
            model = self.resolve(name)
        except ModelNotFound:
            return ListedModel(
                name, summary, entry.licence if entry else "", on_disk=False, weights_bytes=0, problem=""
            )
        except ModelError as error:
            return ListedModel(
                name, summary, entry.licence if entry else "", on_disk=True, weights_bytes=0, problem=str(error)
            )
        return ListedModel(name, summary, model.licence, on_disk=True, weights_bytes=model.weights_bytes, problem="")


def _open(name: str, source: Source, path: Path) -> ModelFolder:
    try:
        return open_folder(path)
    except ModelBroken as error:
        way_out = (
            "copy it again from where it came" if isinstance(source, FolderSource) else f"{_pull(name)} gets it again"
        )
        raise ModelBroken(f"{error}; {way_out}") from error


def _choose_format(name: str, folder: ModelFolder, options: ModelOptions, entry: CatalogueEntry | None) -> ModelFormat:
    """What the operator says, else the catalogue, else what the folder tells."""
    has_template = bool(options.chat_template) or folder.has_chat_template
    if options.format:
        chosen: ModelFormat | None = ModelFormat(options.format)
    elif entry:
        chosen = entry.format
    else:
        chosen = ModelFormat.CHAT if options.chat_template else folder.detect_format()
    if chosen is None or (chosen is ModelFormat.CHAT and not has_template):
        raise NoChatFormat(
            f"{name} has no chat template, so it is not known how turns become its prompt; "
            f'under `[models."{name}"]` set `format = "dialogpt"` (turns joined by end-of-text) '
            'or `chat_template = "file.jinja"`'
        )
    return chosen


def _read_template(file: str) -> str:
    if not file:
        return ""
    try:
        return Path(file).expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ModelError(f"the chat template {file} can't be read ({error}); correct `chat_template`") from error


def _not_here(name: str, source: Source) -> str:
    match source:
        case FolderSource(folder):
            return f"there is no folder {folder}"
        case PickleSource(file) if not file.is_file():
            return f"there is no file {file}"
        case PickleSource(file):
            return f"{file} is not converted yet; {_pull(name)} does it once"
    close = difflib.get_close_matches(name, CATALOGUE, n=1, cutoff=0.75)
    meant = f"; did you mean {close[0]}?" if close and close[0] != name else ""
    return f"{name} is not on this machine; {_pull(name)} gets it{meant}"


def _pull(name: str) -> str:
    return f"`banter models pull {shlex.quote(name)}`"
