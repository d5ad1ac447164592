"""The two ways in which turns are written for a model.

DialoGPT's: every turn is ended by the end-of-text token; there are no roles, names or system prompt.
Chat models': the model's chat template is control, what was said is data, and the tokens that the model drew itself
stand behind its generation prompt exactly as it drew them, so that a prompt goes on where the last one ended.
"""

from collections.abc import Sequence
from itertools import groupby

from core.chat_template import ChatTemplate
from core.dialogue import Turn
from core.errors import NoChatFormat
from core.generation.tokenizer import Span, Tokenizer
from core.prompt import PromptFormat, drawn_ids
from core.speakers import written

#: A text, or token ids that the model drew.
Part = str | tuple[int, ...]


def choose_format(tokenizer: Tokenizer, kind: str = "") -> PromptFormat:
    """`kind` is "dialogpt" or "chat"; "" takes the chat template if there is one.

    Raises NoChatFormat where the model has none, or one that can't be used.
    """
    if kind == "dialogpt":
        return DialoGPTFormat(tokenizer)
    if tokenizer.chat_template:
        return ChatFormat(tokenizer)
    raise NoChatFormat(
        "This model has no chat template: set `chat_template` of the model to a file that holds one, "
        'or `format = "dialogpt"` if its turns are joined by the end-of-text token'
    )


class DialoGPTFormat:
    knows_roles = False

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def token_ids(self, system_prompt: str, turns: Sequence[Turn]) -> list[int]:  # noqa: ARG002 - it has none
        ids: list[int] = []
        for turn in turns:
            ids += drawn_ids(turn, self._tokenizer) or self._tokenizer.encode_data(turn.text)
            ids.append(self._tokenizer.end_of_text_id)
        return ids


class ChatFormat:
    """Raises NoChatFormat where the template can't be used."""

    knows_roles = True

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._template = ChatTemplate(tokenizer.chat_template, tokenizer.special_texts)

    def token_ids(self, system_prompt: str, turns: Sequence[Turn]) -> list[int]:
        """`turns` begin and end with a person's."""
        system = system_prompt.strip()
        messages = [self._parts(list(group)) for _, group in groupby(turns, key=lambda turn: turn.role)]
        has_system = bool(system) and self._template.knows_system_role
        if has_system:
            messages.insert(0, [system])
        elif system:
            messages[0][:0] = [f"{system}\n\n"]
        return self._assemble(messages, self._template.segments(len(messages), system=has_system))

    def _parts(self, turns: Sequence[Turn]) -> list[Part]:
        """Turns of one side in a row are one message: many templates demand that the sides alternate."""
        parts: list[Part] = []
        for turn in turns:
            parts += ["\n"] if parts else []
            parts.append(drawn_ids(turn, self._tokenizer) or written(turn).strip())
        return parts

    def _assemble(self, messages: Sequence[Sequence[Part]], segments: Sequence[str]) -> list[int]:
        script = _Script(self._tokenizer)
        generation = segments[-1]
        for before, parts in zip(segments[:-1], messages, strict=True):
            script.control(before if isinstance(parts[0], str) else generation)
            for part in parts:
                script.add(part)
        script.control(generation)
        return script.finish()


class _Script:
    """Texts and token ids in a row.

    Texts are encoded in pieces that are as long as their ids demand and, for the sake of what was encoded before,
    no longer.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._text = ""
        self._data: list[Span] = []

    def control(self, text: str) -> None:
        seam = self._tokenizer.seam(text)
        if seam is not None:
            self._text += text[:seam]
            self.finish()
        self._text += text[seam:]

    def add(self, part: Part) -> None:
        if isinstance(part, str):
            self._add_data(part)
        else:
            self.finish().extend(part)

    def finish(self) -> list[int]:
        if self._text:
            self._ids += self._tokenizer.encode_marked(self._text, self._data, inside=bool(self._ids))
        self._text, self._data = "", []
        return self._ids

    def _add_data(self, text: str) -> None:
        start = len(self._text)
        if self._data and self._data[-1][1] == start:
            start, _ = self._data.pop()
        self._text += text
        self._data.append((start, len(self._text)))
