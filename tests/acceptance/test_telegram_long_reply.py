"""A reply of 20,000 characters on Telegram. No small model writes one, so a scripted server does."""

import re
from collections.abc import AsyncIterator, Iterator

import pytest

from bots.sandbox.local_telegram.driver import LocalTelegram, local_telegram
from bots.sandbox.local_telegram.sights import MessageSeen
from core.generation.models import ResolvedModel
from tests.acceptance.conftest import Home, link_model
from tests.acceptance.programs import REPLY_S
from tests.acceptance.telegram_chatbots import telegram_chatbot, whole
from tests.acceptance.test_openai_chat import variables
from tests.integration.local_openai import CHAT, LocalOpenAI, reply

_UNITS, _ENTITIES = 4096, 100
MARK = re.compile(r"[pct]\d{4}")
_WORDS = [
    "rain",
    "river",
    "stone",
    "bread",
    "lamp",
    "sail",
    "fig",
    "moss",
    "drum",
    "kite",
    "owl",
    "salt",
    "wheel",
    "yarn",
    "🎏",
    "κῦμα",
    "海",
]


@pytest.fixture
def home(empty_home: Home, default_model: ResolvedModel) -> Home:
    link_model(default_model, empty_home.cache)
    return empty_home


@pytest.fixture
async def telegram() -> AsyncIterator[LocalTelegram]:
    async with local_telegram() as telegram:
        yield telegram


def prose(numbers: range) -> str:
    """Each mark stands once: p0001 in prose, c0001 in code, t0001 in a table."""
    lines = [f"p{n:04} **{_WORDS[n % 17]}** and _{_WORDS[n * 7 % 17]}_ by `{_WORDS[n * 5 % 17]}`" for n in numbers]
    return "\n\n".join(lines)


def code(numbers: range) -> str:
    lines = [f"    c{n:04} = read({_WORDS[n % 17]!r}, *args, **more)  # <{n * n}> & so on" for n in numbers]
    return "\n".join(["```python", *lines, "```"])


def table(numbers: range) -> str:
    rows = [f"| t{n:04} | {_WORDS[n % 17]} | {n * 37} |" for n in numbers]
    return "\n".join(["| mark | what | how many |", "|---|---|---|", *rows])


LONG = "\n\n".join(
    [
        prose(range(110)),
        code(range(150)),
        prose(range(110, 150)),
        table(range(50)),
        code(range(150, 240)),
        "p9999 The end.",
    ]
)


def pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), 97):
        yield text[start : start + 97]


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def is_within(message: MessageSeen, mark: str, kind: str) -> bool:
    at = units(message.text[: message.text.index(mark)])
    spans = [(entity["offset"], entity["length"]) for entity in message.entities if entity["type"] == kind]
    return any(isinstance(o, int) and isinstance(n, int) and o <= at < o + n for o, n in spans)


async def test_a_very_long_reply_comes_whole_in_parts(
    home: Home, telegram: LocalTelegram, local_openai: LocalOpenAI
) -> None:
    ann = await telegram.person("Ann")
    local_openai.answers = [reply(CHAT, *pieces(LONG))]
    async with telegram_chatbot(home, telegram, variables(local_openai)) as chatbot:
        await ann.says("Tell me everything.")
        seen = await ann.chat.until(lambda chat: len(whole(chat)) == 1, REPLY_S)

    parts = seen.bots
    marks = [mark for part in parts for mark in MARK.findall(part.text)]
    assert len(LONG) > 20_000
    assert marks == MARK.findall(LONG)
    assert len(parts) > 4
    assert all(units(part.text) <= _UNITS and len(part.entities) <= _ENTITIES for part in parts)
    for part in parts:
        assert all(is_within(part, mark, "pre") for mark in MARK.findall(part.text) if mark[0] == "c")
        assert not any(is_within(part, mark, "pre") for mark in MARK.findall(part.text) if mark[0] == "p")
        assert "```" not in part.text
    assert sum("c0" in part.text for part in parts) >= 3
    assert [bool(part.buttons) for part in parts] == [False] * (len(parts) - 1) + [True]
    assert chatbot.rows("SELECT text FROM turns WHERE role = 'assistant'") == [(LONG,)]
    assert await telegram.excesses() == {}
    assert all(
        later - earlier >= 1.0 for part in parts for earlier, later in zip(part.times, part.times[1:], strict=False)
    )
