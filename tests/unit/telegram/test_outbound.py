"""Markdown as Telegram gets it: what people see, and where in it something is bold, linked or code."""

import pytest
from telegramify_markdown.converter import EventWalker

from adapters.telegram.outbound import LIMIT_ENTITIES, LIMIT_UNITS, Formatted, converted, fits, formatted, new_splitter

Entities = list[tuple[str, str]]


def seen(message: Formatted) -> Entities:
    """Each entity with the text that it covers."""
    units = message.text.encode("utf-16-le")
    return [
        (entity.type, units[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le"))
        for entity in sorted(message.entities, key=lambda entity: (entity.offset, -entity.length))
    ]


@pytest.mark.parametrize(
    ("markdown", "text", "entities"),
    [
        ("plain words", "plain words", []),
        ("**bold** and *slanted*", "bold and slanted", [("bold", "bold"), ("italic", "slanted")]),
        ("👍 **bold** 👍", "👍 bold 👍", [("bold", "bold")]),
        ("`x = 1`", "x = 1", [("code", "x = 1")]),
        ("~~gone~~", "gone", [("strikethrough", "gone")]),
        ("> quoted\n> twice", "quoted\ntwice", [("blockquote", "quoted\ntwice")]),
        ("[a](https://b.example/c)", "a", [("text_link", "a")]),
        ("<https://b.example>", "https://b.example", [("text_link", "https://b.example")]),
        ("- one\n- two", "• one\n• two", []),
        ("- [ ] to do\n- [x] done", "☐ to do\n☑ done", []),
        ("one\n\n---\n\ntwo", "one\n\n———\n\ntwo", []),
        ("```\n    indented\n```", "    indented", [("pre", "    indented")]),
        ("&amp; \\* &lt;b&gt;", "& * <b>", []),
        ("a\r\nb\rc", "a\nb\nc", []),
    ],
)
def test_markdown_becomes_a_text_with_entities(markdown: str, text: str, entities: Entities) -> None:
    message = converted(markdown)

    assert message.text == text
    assert seen(message) == entities


@pytest.mark.parametrize("mark", ["#", "##", "###", "####", "#####", "######"])
def test_a_heading_stands_out_without_ornaments(mark: str) -> None:
    message = converted(f"{mark} A title\n\nwords")

    assert message.text == "A title\n\nwords"
    assert {covered for _, covered in seen(message)} == {"A title"}


@pytest.mark.parametrize(
    "markdown",
    [
        "a <b>bold</b> word",
        "<think>hidden thoughts</think> said",
        "<div>\nin a block\n</div>\n\nbehind it",
        "<!-- a remark -->",
        "<script>\nalert('x')\n</script>",
        "if a <b then c> d",
        "a < b && c > d",
        "[a label]: that would define a link",
        "[1]: https://a.example/source",
        "costs $HOME/$PATH",
        "a || b || c",
        "~5 minutes and ~6 more",
        "[a](b c)",
        "[relative](/docs/page)",
        "[a person](tg://user?id=1)",
        "[local](http://localhost:8080/x)",
        "[](https://a.example/without-words)",
        "![](https://a.example/without-words.png)",
        "<person@mail.example>",
        "| a |\n|---|\n| one | more than the head |",
    ],
)
def test_what_would_be_dropped_as_markup_is_seen_as_it_was_written(markdown: str) -> None:
    message = converted(markdown)

    assert message.text == markdown
    assert message.entities == ()


def test_html_in_code_is_code_without_more_backslashes() -> None:
    message = converted("`<b>`\n\n```html\n<i>\\<\n```")

    assert message.text == "<b>\n\n<i>\\<"
    assert seen(message) == [("code", "<b>"), ("pre", "<i>\\<")]


def test_an_escaped_bracket_is_a_bracket() -> None:
    assert converted("\\<b> and \\\\<b>").text == "<b> and \\<b>"


def test_a_table_is_monospace_with_its_columns_below_each_other() -> None:
    message = converted("| name | n |\n|---|---|\n| a | 1 |\n| long one | 22 |")

    assert message.text == "name     | n \n---------+---\na        | 1 \nlong one | 22"
    assert seen(message) == [("pre", message.text)]


def test_an_address_in_a_table_is_seen() -> None:
    message = converted("| a | b |\n|---|---|\n| 1 | [docs](https://a.example) |")

    assert "[docs](https://a.example)" in message.text
    assert [entity.type for entity in message.entities] == ["pre"]


def test_a_fence_tells_its_language() -> None:
    [entity] = converted("```python\nx = 1\n```").entities

    assert (entity.type, entity.language) == ("pre", "python")


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("1. install:\n   ```sh\n   pip install x\n   ```\n2. run", "1. install:\npip install x\n2. run"),
        ("- a\n  > quoted\n- b", "• a\nquoted\n• b"),
        ("- a\n  1. b\n     - c", "• a\n  1. b\n    • c"),
    ],
)
def test_a_block_in_a_list_begins_on_a_line_of_its_own(markdown: str, text: str) -> None:
    assert converted(markdown).text == text


def test_a_link_keeps_its_address() -> None:
    [entity] = converted("see [the docs](https://a.example/x?y=<1>&z=~2~)").entities

    assert entity.url == "https://a.example/x?y=<1>&z=~2~"


@pytest.mark.parametrize("markdown", ["", " \n ", "\u200b", "\x00\x07"])
def test_what_nobody_could_see_is_a_placeholder(markdown: str) -> None:
    assert converted(markdown) == Formatted("…")


@pytest.mark.parametrize("markdown", ["```\n\n```", "[]()", ">"])
def test_markup_around_nothing_is_seen_as_it_was_written(markdown: str) -> None:
    assert converted(markdown) == Formatted(markdown)


def test_half_of_a_character_becomes_a_sign_that_can_be_sent() -> None:
    assert converted("a\ud83d b").text == "a\ufffd b"


def test_a_text_that_uses_private_characters_keeps_them() -> None:
    assert converted("\ue000 <b> \ue03c \uf8ff").text == "\ue000 <b> \ue03c \uf8ff"


def test_a_text_that_uses_all_private_characters_is_sent_as_it_was_written() -> None:
    markdown = "**a** " + "".join(map(chr, range(0xE000, 0xF900, 128)))

    assert converted(markdown) == Formatted(markdown)


def test_what_can_not_be_converted_is_sent_as_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(walker: EventWalker, events: object) -> None:
        raise IndexError

    monkeypatch.setattr(EventWalker, "walk", fail)
    converted.cache_clear()

    assert converted("**never seen before**") == Formatted("**never seen before**")
    converted.cache_clear()


def test_an_entity_beyond_the_text_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    walk = EventWalker.walk

    def stretch(walker: EventWalker, events: tuple[object, ...]) -> object:
        text, entities, segments = walk(walker, events)
        entities[0].length += 1
        return text, entities, segments

    monkeypatch.setattr(EventWalker, "walk", stretch)
    converted.cache_clear()

    assert converted("a **stretched word**") == Formatted("a **stretched word**")
    converted.cache_clear()


class TestLimits:
    def test_units_count_and_not_characters(self) -> None:
        assert fits("é" * LIMIT_UNITS)
        assert fits("👍" * (LIMIT_UNITS // 2))
        assert not fits("👍" * (LIMIT_UNITS // 2) + "a")

    def test_marks_and_addresses_do_not_count(self) -> None:
        assert fits(f"**{'a' * LIMIT_UNITS}**")

    def test_entities_count(self) -> None:
        assert fits("`a` " * LIMIT_ENTITIES)
        assert not fits("`a` " * (LIMIT_ENTITIES + 1))

    def test_long_addresses_are_spread_over_messages(self) -> None:
        reply = " ".join(f"[word](https://a.example/{'x' * 200})" for _ in range(60))

        parts = parts_of(reply)

        assert not fits(reply)
        assert [entity.type for part in parts for entity in part.entities] == ["text_link"] * 60

    def test_a_text_that_nobody_cut_is_cut(self) -> None:
        message = formatted("**" + "👍" * 5000 + "**")

        assert len(message.text.encode("utf-16-le")) // 2 <= LIMIT_UNITS
        assert message.text.endswith("👍…")
        assert seen(message) == [("bold", message.text[:-1])]

    def test_code_and_links_are_kept_before_mere_emphasis(self) -> None:
        message = formatted("*a* " * 150 + "`code`")

        assert len(message.entities) == LIMIT_ENTITIES
        assert message.entities[-1].type == "code"


def parts_of(markdown: str) -> list[Formatted]:
    splitter = new_splitter()()
    splitter.append(markdown)
    splitter.finish()
    assert all(fits(part.text) for part in splitter.closed)
    return [converted(part.text) for part in splitter.closed]


def test_a_long_reply_keeps_its_code_and_its_table_in_every_part() -> None:
    code = "```python\n" + "".join(f"value_{line} = {line}  # <b> is no tag here\n" for line in range(250)) + "```"
    rows = "".join(f"| row {row} | {row * row} |\n" for row in range(150))
    prose = " ".join(f"Sentence {number} has some **weight**." for number in range(60))
    reply = f"{prose}\n\n{code}\n\n| name | square |\n|---|---|\n{rows}\n{prose}\n\n{code}"
    assert len(reply) > 20_000

    parts = parts_of(reply)

    assert len(parts) >= 5
    for part in parts:
        blocks = [covered for kind, covered in seen(part) if kind == "pre"]
        assert part.text.count("value_") == sum(block.count("value_") for block in blocks)
        assert part.text.count("row ") == sum(block.count("row ") for block in blocks)
        assert "```" not in part.text
        assert all(entity.language == "python" for entity in part.entities if entity.type == "pre" and entity.language)
    whole = "".join(part.text for part in parts)
    assert all(whole.count(f"value_{line} = ") == 2 for line in range(250))
    assert all(f"row {row} " in whole for row in range(150))


def test_many_entities_are_spread_over_parts() -> None:
    parts = parts_of(" ".join(f"`word{number}`" for number in range(250)))

    assert len(parts) == 3
    assert sum(len(part.entities) for part in parts) == 250


def test_an_address_that_is_too_long_for_a_link_is_seen_whole() -> None:
    address = "https://a.example/" + "x" * 9000

    parts = parts_of(f"[here]({address})")

    assert "".join(part.text for part in parts).replace("\n", "") == f"[here]({address})"
