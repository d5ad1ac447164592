"""Text to token ids and back, without torch.

It knows the vocabulary and which tokens are control; it knows nothing of turns, templates or sampling.
Control is every token that was added to the vocabulary as a special one, or that is bracketed like one
(`<think>`, `[INST]`): it may come from a template or from the model, never from what somebody wrote.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Self

from tokenizers import AddedToken, Encoding

from core.generation.token_bytes import TokenBytes
from core.generation.tokenizer_files import TokenizerFiles, read_tokenizer_files

#: Start and end (exclusive) of characters in a text.
Span = tuple[int, int]

_CACHED_TEXTS = 8192
_CACHED_CHARACTERS = 512
_COUNTED_CHARACTERS = 16_384


class Tokenizer:
    def __init__(self, files: TokenizerFiles, chat_template: str | None = None) -> None:
        self.fingerprint: str = files.fingerprint
        self.end_of_text_id: int = files.end_of_text_id
        self.stop_ids: frozenset[int] = files.stop_ids
        self.chat_template: str = files.chat_template if chat_template is None else chat_template
        #: "bos_token" and so on, as chat templates name them.
        self.special_texts: Mapping[str, str] = files.special_texts
        self.token_bytes = TokenBytes(files.backend)
        self._backend = files.backend
        added = files.backend.get_added_tokens_decoder()
        self.vocabulary_size: int = max(files.backend.get_vocab_size(), max(added, default=-1) + 1)
        self.control_ids: frozenset[int] = frozenset(
            id_ for id_, token in added.items() if _is_control(token.content, token.special)
        )
        self._newline = self.encode("\n")
        self._leads = self.encode("\nx") != self._newline + self.encode("x")
        seams = [re.escape(token.content) for token in added.values() if token.special and _is_rigid(token)]
        self._seam = re.compile("|".join(seams)) if seams and not self._leads else None
        self._encode_short = lru_cache(_CACHED_TEXTS)(self._encode_marked)

    @classmethod
    def load(cls, folder: Path, chat_template: str | None = None) -> Self:
        """From tokenizer.json, or GPT-2's vocab.json and merges.txt; `chat_template` stands in for the folder's own.

        Raises ModelBroken, naming the file.
        """
        return cls(read_tokenizer_files(folder), chat_template)

    def encode(self, text: str) -> list[int]:
        """Special tokens in the text are recognised; none are added."""
        return self._backend.encode(text, add_special_tokens=False).ids

    def encode_data(self, text: str) -> list[int]:
        """As `encode`, but control tokens that are spelled out in the text stay text."""
        return list(self.encode_marked(text, ((0, len(text)),)))

    def encode_marked(self, text: str, data: Sequence[Span], *, inside: bool = False) -> tuple[int, ...]:
        """A text whose `data` spans (in order, not overlapping) are somebody's words and never become control.

        Without control in the data the ids are those of the whole text in one go. `inside` says that the ids follow
        others, so that no first space is put before them.
        """
        if len(text) > _CACHED_CHARACTERS:
            return self._encode_marked(text, tuple(data), inside)
        return self._encode_short(text, tuple(data), inside)

    def seam(self, text: str) -> int | None:
        """Where a template's text can be cut without a change of ids: before its first control token, if it has one."""
        found = self._seam.search(text) if self._seam else None
        return found.start() if found else None

    def count(self, text: str) -> int:
        """How many tokens `encode_data` makes of a text; beyond 16,384 characters in proportion to the first ones."""
        counted = len(self.encode_data(text[:_COUNTED_CHARACTERS]))
        return counted * max(len(text), 1) // max(min(len(text), _COUNTED_CHARACTERS), 1)

    def decode(self, token_ids: Iterable[int]) -> str:
        """Special tokens are left out; spaces stay as they are; bytes that are no UTF-8 become U+FFFD."""
        return b"".join(self.token_bytes.spell_all(token_ids)).decode(errors="replace")

    def decode_visibly(self, token_ids: Iterable[int]) -> str:
        """With the special tokens, for people who look at a prompt."""
        return self._backend.decode(list(token_ids), skip_special_tokens=False)

    def _encode_marked(self, text: str, data: tuple[Span, ...], inside: bool) -> tuple[int, ...]:
        encoding, lead = self._encoding(text, inside)
        forged = self._forged(encoding, lead + text, _shift(data, len(lead)))
        if not forged:
            return tuple(encoding.ids[len(self._newline) if lead else 0 :])
        ids: list[int] = []
        position = 0
        for start, end in _shift(forged, -len(lead)):
            before = tuple((a - position, b - position) for a, b in data if position <= a and b <= start)
            ids += self._encode_marked(text[position:start], before, inside or position > 0)
            ids += self._encode_plain(text[start:end], inside or start > 0)
            position = end
        rest = tuple((a - position, b - position) for a, b in data if position <= a)
        return (*ids, *self._encode_marked(text[position:], rest, inside or position > 0))

    def _forged(self, encoding: Encoding, text: str, data: tuple[Span, ...]) -> list[Span]:
        """The data spans that hold control, or a part of one that the text around them completes."""
        ids = encoding.ids
        if not data or self.control_ids.isdisjoint(ids):
            return []
        starts = [start for start, _ in data]
        forged: set[Span] = set()
        for token_id, (start, end) in zip(ids, encoding.offsets, strict=True):
            if token_id in self.control_ids:
                first, last = _without_space(text, start, end)
                index = bisect_left(starts, last) - 1
                if index >= 0 and first < data[index][1]:
                    forged.add(data[index])
        return sorted(forged)

    def _encode_plain(self, text: str, inside: bool) -> list[int]:
        """By the vocabulary alone, without the tokens that were added to it."""
        if not inside or not self._leads:
            return self._plain_ids(text)
        ids, first = self._plain_ids("\n" + text), len(self._newline)
        return ids[first:] if ids[:first] == self._newline else self._plain_ids(text)

    def _plain_ids(self, text: str) -> list[int]:
        backend = self._backend
        normal = text if backend.normalizer is None else backend.normalizer.normalize_str(text)
        words = [normal]
        if backend.pre_tokenizer is not None:
            words = [word for word, _ in backend.pre_tokenizer.pre_tokenize_str(normal)]
        tokens = (token for word in words for token in backend.model.tokenize(word))
        return [token.id for token in tokens if token.id not in self.control_ids]

    def _encoding(self, text: str, inside: bool) -> tuple[Encoding, str]:
        """SentencePiece kinds put a space before a text; behind a line end (returned, to be left out) they don't."""
        if inside and self._leads:
            encoding = self._backend.encode("\n" + text, add_special_tokens=False)
            if encoding.ids[: len(self._newline)] == self._newline:
                return encoding, "\n"
        return self._backend.encode(text, add_special_tokens=False), ""


def _is_control(text: str, special: bool) -> bool:
    return bool(text.strip(" \t\r\n▁")) and (special or text[0] in "<[{|")


def _is_rigid(token: AddedToken) -> bool:
    """It is found wherever it is spelled out, and takes nothing of what stands before it."""
    return not (token.lstrip or token.single_word or token.normalized)


def _shift(spans: Iterable[Span], by: int) -> tuple[Span, ...]:
    return tuple((start + by, end + by) for start, end in spans)


def _without_space(text: str, start: int, end: int) -> Span:
    """Some control tokens swallow the space around them; that space may be data."""
    while start < end - 1 and text[start].isspace():
        start += 1
    while start < end - 1 and text[end - 1].isspace():
        end -= 1
    return start, max(end, start + 1)
