"""Generated Markdown: what models write, and worse."""

from hypothesis import strategies as st

_WORDS = [
    *("a", "I", "word", "house", "e.g.", "Tokyo.", "Really?", "End!", "3.14", "don't", "x_y_z", "2×3", "C#", "<3"),
    *("naïve", "été", "ñandú", "e\u0301\u0323", "Z̸a̷l̴g̵o̶", "שלום", "مرحبا", "नमस्ते", "你好。", "日本語、", "ไทย"),
    *("👍", "❤️", "🇪🇸", "🏳️\u200d🌈", "👩\u200d👩\u200d👧\u200d👦", "👩\u200d💻" * 12),
    *("&", "a&b", "&amp;", "AT&T", "\\*", "\\_", "-", "#", ">", "1.", "+", "supercalifragilistic" * 4),
]
WORDS = st.sampled_from(_WORDS)
SIMPLE = st.sampled_from(["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"])
PHRASE = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)
PLAIN = st.lists(SIMPLE, min_size=1, max_size=8).map(" ".join)
INLINE = st.one_of(
    PHRASE,
    PLAIN,
    PLAIN.map("**{}**".format),
    PLAIN.map("*{}*".format),
    PLAIN.map("_{}_".format),
    PLAIN.map("~~{}~~".format),
    PLAIN.map("***{}***".format),
    st.tuples(PLAIN, PLAIN).map(lambda two: f"**{two[0]} *{two[1]}* end**"),
    PLAIN.map("`{}`".format),
    SIMPLE.map("``a ` {}``".format),
    SIMPLE.map('[a **link**](https://example.org/{} "title")'.format),
    SIMPLE.map("![picture](http://example.org/{}.png)".format),
    SIMPLE.map("<https://example.org/{}>".format),
    SIMPLE.map("https://example.org/{}".format),
    SIMPLE.map('<b class="x y">{}</b>'.format),
)
LINE = st.lists(INLINE, min_size=1, max_size=4).map(" ".join)
PARAGRAPH = st.tuples(PLAIN, st.lists(LINE, min_size=0, max_size=4), st.sampled_from(["\n", "  \n", "\\\n"])).map(
    lambda three: three[2].join([three[0], *three[1]])
)
CODE_LINE = st.sampled_from(
    [
        "",
        "x = 1",
        "    return [i for i in range(10)]",
        "```",
        "# no heading",
        "- no item",
        "| no | row |",
        "~~~",
        "y" * 90,
    ]
)


def fenced(code: list[str], fence: str, info: str) -> str:
    kept = [line for line in code if not line.startswith(fence[0] * 3) or len(line) < len(fence)]
    return "\n".join([fence + info, *kept, fence])


FENCE = st.builds(
    fenced,
    st.lists(CODE_LINE, max_size=8),
    st.sampled_from(["```", "````", "~~~", "~~~~~"]),
    st.sampled_from(["", "py", "js title", " c++"]),
)
CELL = st.one_of(PLAIN, st.sampled_from(["1", "**b**", "`c`", "a \\| b", "👍 yes", ""]))
ROWS = st.lists(st.lists(CELL, min_size=2, max_size=2).map(lambda cells: f"| {cells[0]} | {cells[1]} |"), max_size=6)
TABLE = ROWS.map(lambda rows: "\n".join(["| HEADER | b |", "|:---|---|", *rows]))
BLOCK = st.one_of(
    PARAGRAPH,
    PARAGRAPH,
    PLAIN.map("## {}".format),
    PLAIN.map("{}\n===".format),
    FENCE,
    FENCE,
    TABLE,
    st.just("---"),
    PLAIN.map("<div>\n{}\n</div>".format),
    st.lists(CODE_LINE.filter(bool), min_size=1, max_size=4).map(
        lambda lines: "\n".join("    " + line for line in lines)
    ),
)


def indented(text: str, width: int) -> str:
    return "\n".join(" " * width + line if line.strip() else line for line in text.split("\n"))


def listed(items: list[str], marker: str, gap: str) -> str:
    markers = [f"{i + 1}." if marker == "1." else marker for i in range(len(items))]
    lines = [f"{m} {indented(item, len(m) + 1).lstrip(' ')}" for m, item in zip(markers, items, strict=True)]
    return gap.join(lines)


def quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def joined(blocks: st.SearchStrategy[str], most: int) -> st.SearchStrategy[str]:
    return st.lists(blocks, min_size=1, max_size=most).map("\n\n".join)


def nested(blocks: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    first = st.tuples(PARAGRAPH, st.lists(blocks, max_size=2)).map(lambda two: "\n\n".join([two[0], *two[1]]))
    items = st.lists(first, min_size=1, max_size=4)
    lists = st.builds(listed, items, st.sampled_from(["-", "*", "1."]), st.sampled_from(["\n", "\n\n"]))
    return st.one_of(lists, joined(blocks, 2).map(quoted))


def numbered_headers(text: str) -> str:
    for number in range(text.count("HEADER")):
        text = text.replace("HEADER", f"h{number}", 1)
    return text


MARKDOWN = joined(st.recursive(BLOCK, nested, max_leaves=6), 5).map(numbered_headers)
SHORT = joined(st.recursive(BLOCK, nested, max_leaves=2), 2).map(numbered_headers)
RAW = st.text(alphabet=st.sampled_from('ab  \n\n*_~`[]()<>#-+|>1.!\\:=&;\t\r"é👍\u200d🏽\u0301'), max_size=120)
