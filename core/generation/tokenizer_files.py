"""Reads a tokenizer's folder: the vocabulary, the names of its special tokens, the chat template, the stop ids.

It knows the files and their spellings; `Tokenizer` knows what to do with them.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, decoders, pre_tokenizers
from tokenizers.models import BPE

from core.errors import ModelBroken

END_OF_TEXT = "<|endoftext|>"

_NAMES = ("bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token", "mask_token")
_USUAL_ENDS = (END_OF_TEXT, "</s>", "<eos>", "<|im_end|>")


@dataclass(frozen=True, slots=True)
class TokenizerFiles:
    backend: tokenizers.Tokenizer
    #: Of the files that define the ids.
    fingerprint: str
    #: "" where the folder has none.
    chat_template: str
    #: "bos_token" and so on, as chat templates name them.
    special_texts: Mapping[str, str]
    end_of_text_id: int
    stop_ids: frozenset[int]


def read_tokenizer_files(folder: Path) -> TokenizerFiles:
    """Raises ModelBroken, naming the file that is missing or damaged."""
    backend, fingerprint = _read_vocabulary(folder)
    settings = _read_json(folder / "tokenizer_config.json")
    texts = _special_texts(_read_json(folder / "special_tokens_map.json")) | _special_texts(settings)
    ends = _configured_ends(folder)
    end_of_text_id = _end_of_text_id(backend, texts.get("eos_token"), ends, folder)
    return TokenizerFiles(
        backend=backend,
        fingerprint=fingerprint,
        chat_template=_chat_template(folder, settings),
        special_texts=texts,
        end_of_text_id=end_of_text_id,
        stop_ids=frozenset((*ends, end_of_text_id)),
    )


def _read_vocabulary(folder: Path) -> tuple[tokenizers.Tokenizer, str]:
    if (folder / "tokenizer.json").is_file():
        return _read_tokenizer_json(folder / "tokenizer.json")
    if (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
        return _read_gpt2_vocabulary(folder / "vocab.json", folder / "merges.txt")
    raise ModelBroken(f"{folder} holds no tokenizer (tokenizer.json, or vocab.json with merges.txt)")


def _read_tokenizer_json(file: Path) -> tuple[tokenizers.Tokenizer, str]:
    content = _read_bytes(file)
    try:
        backend = tokenizers.Tokenizer.from_buffer(content)
    except ValueError as error:
        raise ModelBroken(f"{file} is damaged: {_one_line(error)}") from error
    backend.no_truncation()
    backend.no_padding()
    return backend, _fingerprint(content)


def _read_gpt2_vocabulary(vocabulary: Path, merges: Path) -> tuple[tokenizers.Tokenizer, str]:
    """Byte-level BPE as GPT-2 has it; other kinds always come with a tokenizer.json."""
    content = _read_bytes(vocabulary) + b"\x00" + _read_bytes(merges)
    if END_OF_TEXT not in _read_json(vocabulary):
        raise ModelBroken(f"{vocabulary} is not GPT-2's kind (it has no {END_OF_TEXT}); a tokenizer.json is needed")
    try:
        model = BPE.from_file(str(vocabulary), str(merges))
    except Exception as error:  # the library raises nothing narrower here
        raise ModelBroken(f"{merges} does not fit {vocabulary.name} or is damaged: {_one_line(error)}") from error
    backend = tokenizers.Tokenizer(model)
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(END_OF_TEXT, normalized=False)])
    return backend, _fingerprint(content)


def _fingerprint(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _special_texts(settings: Mapping[str, object]) -> dict[str, str]:
    """A special token is written as a text, or as an object with its "content"."""
    texts: dict[str, str] = {}
    for name in _NAMES:
        value = settings.get(name)
        text = value.get("content") if isinstance(value, dict) else value
        if isinstance(text, str):
            texts[name] = text
    return texts


def _configured_ends(folder: Path) -> tuple[int, ...]:
    """Every `eos_token_id` of the model's configuration, the one for generation first."""
    ends: list[int] = []
    for name in ("generation_config.json", "config.json"):
        value = _read_json(folder / name).get("eos_token_id")
        ids = value if isinstance(value, list) else [value]
        ends += [id_ for id_ in ids if isinstance(id_, int) and not isinstance(id_, bool) and id_ >= 0]
    return tuple(ends)


def _end_of_text_id(backend: tokenizers.Tokenizer, eos_text: str | None, ends: tuple[int, ...], folder: Path) -> int:
    named = None if eos_text is None else backend.token_to_id(eos_text)
    usual = (backend.token_to_id(text) for text in _USUAL_ENDS)
    for id_ in (named, *ends, *usual):
        if id_ is not None:
            return id_
    raise ModelBroken(f"{folder / 'tokenizer_config.json'} names no eos_token, so no reply could end; add one")


def _chat_template(folder: Path, settings: Mapping[str, object]) -> str:
    """chat_template.jinja, else the text or the list of named templates in tokenizer_config.json."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return read_text(file)
    value = settings.get("chat_template")
    if isinstance(value, list):
        named = {entry.get("name"): entry.get("template") for entry in value if isinstance(entry, dict)}
        value = named.get("default")
    return value if isinstance(value, str) else ""


def _read_json(file: Path) -> dict[str, object]:
    """{} where there is no such file."""
    if not file.is_file():
        return {}
    try:
        content: object = json.loads(_read_bytes(file))
    except ValueError as error:
        raise ModelBroken(f"{file} is not JSON: {_one_line(error)}") from error
    if not isinstance(content, dict):
        raise ModelBroken(f"{file} holds no JSON object")
    return content


def read_text(file: Path) -> str:
    try:
        return _read_bytes(file).decode()
    except UnicodeDecodeError as error:
        raise ModelBroken(f"{file} is not UTF-8 text") from error


def _read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ModelBroken(f"{file} can't be read: {error.strerror}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
