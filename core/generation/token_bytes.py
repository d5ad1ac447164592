"""The bytes that a token stands for.

Kinds of tokenizers differ in how they write text: byte-level BPE spells every byte as a printable character,
SentencePiece kinds write "▁" for a space, spell rare characters as byte tokens such as `<0xF0>` and swallow the
first space of a text. Here a reply is always a row of byte strings, one for each token, so that a text can be read
token by token: bytes that are no UTF-8 become U+FFFD where they stand and nothing waits for them.
"""

import json
import re
from collections.abc import Iterable, Iterator

import tokenizers

_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")


class TokenBytes:
    def __init__(self, backend: tokenizers.Tokenizer) -> None:
        kinds = _decoder_kinds(backend)
        self._backend = backend
        self._byte_level = kinds == ["ByteLevel"]
        self._byte_tokens = "ByteFallback" in kinds
        self._hidden = {id_ for id_, token in backend.get_added_tokens_decoder().items() if token.special}
        self._known: dict[int, bytes] = {}

    def spell(self, token_id: int, before: int | None) -> bytes:
        """The bytes of a token that follows `before`, the last visible token; b"" for a special one."""
        if token_id in self._hidden:
            return b""
        if self._byte_level or self._byte_tokens:
            known = self._known.get(token_id)
            if known is None:
                known = self._known[token_id] = self._spell_alone(token_id)
            if self._byte_level or known:
                return known
        return self._spell_after(token_id, before)

    def is_visible(self, token_id: int) -> bool:
        return token_id not in self._hidden

    def spell_all(self, token_ids: Iterable[int]) -> Iterator[bytes]:
        before = None
        for token_id in token_ids:
            yield self.spell(token_id, before)
            if self.is_visible(token_id):
                before = token_id

    def _spell_alone(self, token_id: int) -> bytes:
        """Byte-level: all of it. With byte tokens: the byte, or b"" for a token of another sort."""
        token = self._backend.id_to_token(token_id) or ""
        if self._byte_level:
            spelled = [_BYTES.get(character) for character in token]
            whole = [byte for byte in spelled if byte is not None]
            return bytes(whole) if len(whole) == len(token) else token.encode()
        byte = _BYTE_TOKEN.fullmatch(token)
        return bytes.fromhex(byte[1]) if byte else b""

    def _spell_after(self, token_id: int, before: int | None) -> bytes:
        if before is None:
            return self._backend.decode([token_id]).encode()
        head, both = self._backend.decode([before]), self._backend.decode([before, token_id])
        text = both.removeprefix(head) if both.startswith(head) else self._backend.decode([token_id])
        return text.encode()


def _decoder_kinds(backend: tokenizers.Tokenizer) -> list[str]:
    if backend.decoder is None:
        return []
    state: object = json.loads(backend.decoder.__getstate__())
    steps = state.get("decoders", [state]) if isinstance(state, dict) else []
    return [str(step.get("type")) for step in steps if isinstance(step, dict)]


def _byte_alphabet() -> dict[str, int]:
    """GPT-2's: a printable byte is itself; the others are numbered on from U+0100."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + number): byte for number, byte in enumerate(others)}


_BYTES = _byte_alphabet()
