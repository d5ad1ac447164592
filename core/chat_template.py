"""A model's chat template, asked only for what it writes around the contents.

A template is a program from the internet, and what people write is data: they never meet. The template is rendered
with a private mark in the place of each content; the text between the marks is control, and the contents are put back
by `core.prompt_formats`. It runs in jinja's sandbox, with its loops and calls counted, so that none of them is endless.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache

from jinja2 import TemplateError, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from core.errors import NoChatFormat

_MARK = re.compile("\ue000([0-9]+)\ue001")
_STEPS_LIMIT = 100_000
#: No template can write this name.
_COUNTED = "counted loop"
_WAY_OUT = "; set `chat_template` of this model to a file with a working one"
#: What an expression of a template can raise besides jinja's own errors.
_TEMPLATE_FAULTS = (
    TemplateError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
)


class ChatTemplate:
    """Raises NoChatFormat where the template is broken, or loses, doubles or reorders contents."""

    def __init__(self, source: str, special_texts: Mapping[str, str]) -> None:
        self._environment = _Environment()
        self._special_texts = dict(special_texts)
        try:
            self._template = self._environment.from_string(self._environment.count_loops(source))
        except _TEMPLATE_FAULTS as error:
            raise NoChatFormat(f"The chat template is broken: {_one_line(error)}{_WAY_OUT}") from error
        self._segments = lru_cache(128)(self._render)
        self.knows_system_role: bool = self._keeps_system_first()

    def segments(self, messages: int, *, system: bool) -> tuple[str, ...]:
        """What stands before, between and after the contents of a dialogue that is up to the assistant.

        `messages` counts the system's message, if it has one; then person and assistant take turns. One more text
        comes back than there are messages.
        """
        return self._segments(messages, system, date.today())

    def _render(self, messages: int, system: bool, _today: date) -> tuple[str, ...]:
        roles = [_role(index, system) for index in range(messages)]
        marked = [{"role": role, "content": f"\ue000{index}\ue001"} for index, role in enumerate(roles)]
        self._environment.steps = 0
        try:
            text = self._template.render(
                **self._special_texts, messages=marked, tools=None, documents=None, add_generation_prompt=True
            )
        except _TEMPLATE_FAULTS as error:
            raise NoChatFormat(f"The chat template refuses a plain dialogue: {_one_line(error)}{_WAY_OUT}") from error
        pieces = _MARK.split(text)
        if pieces[1::2] != [str(index) for index in range(messages)]:
            raise NoChatFormat(f"The chat template loses, doubles or reorders messages{_WAY_OUT}")
        return tuple(pieces[::2])

    def _keeps_system_first(self) -> bool:
        """Templates without a system role raise an error, drop its content or move it to the newest turn."""
        self.segments(3, system=False)
        try:
            self.segments(4, system=True)
        except NoChatFormat:
            return False
        return True


def _role(index: int, system: bool) -> str:
    if system and index == 0:
        return "system"
    return "user" if (index - system) % 2 == 0 else "assistant"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


class _Environment(ImmutableSandboxedEnvironment):
    """What templates on the Hugging Face hub are written for: the names and tags that transformers gives them."""

    intercepted_binops = frozenset(["**"])

    def __init__(self) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _Generation])
        self.steps = 0
        self.filters["tojson"] = _to_json
        self.filters[_COUNTED] = self._counted
        self.globals |= {"raise_exception": _raise_exception, "strftime_now": _now, "namespace": _Namespace}

    def count_loops(self, source: str) -> nodes.Template:
        """The template, with every loop's items drawn through a counter."""
        tree = self.parse(source)
        for loop in list(tree.find_all(nodes.For)):
            loop.iter = nodes.Filter(loop.iter, _COUNTED, [], [], None, None)
        tree.set_environment(self)
        return tree

    def call(self, context: Context, obj: object, *args: object, **kwargs: object) -> object:
        self._step()
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, *_operation: object) -> object:
        raise SecurityError("powers are not allowed")

    @pass_context
    def _counted(self, _context: Context, items: Iterable[object]) -> Iterator[object]:
        for item in items:
            self._step()
            yield item

    def _step(self) -> None:
        self.steps += 1
        if self.steps > _STEPS_LIMIT:
            raise SecurityError(f"it takes more than {_STEPS_LIMIT:,} steps")


class _Generation(Extension):
    """`{% generation %}` marks the assistant's words for training; here it only shows its body."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it so

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


class _Namespace(Namespace):
    """Templates may not store names that begin with an underscore."""

    def __init__(self, /, *pairs: Mapping[str, object], **names: object) -> None:
        super().__init__()
        for name, value in dict(*pairs, **names).items():
            self[name] = value

    def __setitem__(self, name: str, value: object) -> None:
        if name.startswith("_"):
            raise SecurityError("a namespace takes plain names only")
        super().__setitem__(name, value)


def _raise_exception(message: str) -> None:
    raise TemplateError(message)


def _now(form: str) -> str:
    return datetime.now().strftime(form)


def _to_json(
    value: object,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
