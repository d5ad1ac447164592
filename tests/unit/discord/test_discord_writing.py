"""Markdown as Discord reads it."""

import pytest

from adapters.discord.outbound import converted
from adapters.discord.tables import aligned, width
from adapters.discord.writing import for_discord


def test_a_table_is_text_whose_columns_stand_below_each_other() -> None:
    table = "| name | n |\n|:--|--:|\n| **rain** | 1 |\n| `snow` | 22 |"

    assert for_discord(table) == "```\nname |  n\n-----+---\nrain |  1\nsnow | 22\n```"


def test_letters_that_take_two_columns_are_counted_as_two() -> None:
    assert width("你好e\u0301") == 5
    assert aligned(["|a|b|", "|-|-|", "|你好|1|", "|x|2|"]) == ["a    | b", "-----+--", "你好 | 1", "x    | 2"]


def test_a_column_in_the_middle_is_in_the_middle() -> None:
    assert aligned(["|a|b|", "|:-:|-|", "|xxxxx|1|"]) == ["  a   | b", "------+--", "xxxxx | 1"]


def test_a_table_that_is_too_wide_is_not_filled_up() -> None:
    long = "word " * 40
    lines = aligned([f"|a|{long}|", "|-|-|", "|b|c|"])

    assert lines[2] == "b | c"
    assert len(lines[1]) < 130


def test_a_row_may_have_other_cells_than_the_header_and_a_bar_may_be_escaped() -> None:
    assert aligned(["|a|b|", "|-|-|", "|1|", r"|x \| y|2|3|"])[2:] == ["1     |", "x | y | 2 | 3"]


def test_links_in_a_table_show_where_they_lead() -> None:
    assert aligned(["|[a](https://b.c)|", "|-|"])[0] == "a (https://b.c)"


@pytest.mark.parametrize(
    ("markdown", "seen"),
    [
        ("### three", "### three"),
        ("#### four", "**four**"),
        ("###### a **b** c ##", "**a b c**"),
        ("Title\n=====", "# Title"),
        ("Title\n---", "## Title"),
        ("![a cat](https://x.y/c.png)", "[a cat](https://x.y/c.png)"),
        ("![](https://x.y/c.png)", "https://x.y/c.png"),
        ("`![a](b)`", "`![a](b)`"),
        ("a __b__ _c_", "a **b** _c_"),
        ("a || b || c", r"a \|\| b \|\| c"),
        (r"a \|\| b", r"a \|\| b"),
        ("`a || b`", "`a || b`"),
        ("<b>x</b>", "<b>x</b>"),
        ("one\\\ntwo", "one\ntwo"),
        ("> > deep", "> deep"),
    ],
)
def test_signs_that_discord_does_not_know_are_said_with_those_that_it_knows(markdown: str, seen: str) -> None:
    assert for_discord(markdown) == seen


@pytest.mark.parametrize(
    ("markdown", "seen"),
    [
        ("~~~ c++\nx\n~~~", "```c++\nx\n```"),
        ("````md\nx\n````", "```md\nx\n```"),
        ("```c/d e\nx\n```", "```\nc/d e\nx\n```"),
        ("```\n```", "```\n \n```"),
        ("    a = 1\n\n        b\n\ntext", "```\na = 1\n\n    b\n```\n\ntext"),
        ("- item\n\n  ~~~\n  x\n  ~~~", "- item\n\n  ```\n  x\n  ```"),
        ("> ~~~\n> x\n> ~~~", "> ```\n> x\n> ```"),
        ("```py\nx = a || b", "```py\nx = a || b\n```"),
    ],
)
def test_code_stands_between_three_backticks(markdown: str, seen: str) -> None:
    assert for_discord(markdown) == seen


def test_backticks_in_code_do_not_end_it() -> None:
    text = for_discord("````\n```py\n````")

    assert text.count("```") == 2
    assert text.replace("\N{ZERO WIDTH SPACE}", "") == "```\n```py\n```"


def test_what_needs_no_change_is_left_as_it_is() -> None:
    text = "# a\n\n- **b** `c`\n- [d](https://e.f)\n\n> g\n\n```py\nh\n```\n*i* ~~j~~"
    assert for_discord(text) == text


def test_half_a_character_and_other_line_breaks_become_what_can_be_sent() -> None:
    assert converted("a\r\nb\rc\ud800") == "a\nb\nc\N{REPLACEMENT CHARACTER}"
