"""What the program says to people: every text in every language, whole and up to date."""

import ast
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.frontend import parse_keywords
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from core.texts import DOMAIN, LOCALES, Texts, marked

PROJECT = Path(__file__).parents[2]
LANGUAGES = ("ar", "es")
#: As `make messages` calls Babel.
KEYWORDS = re.findall(r"-k (\S+)", (PROJECT / "Makefile").read_text())


def said() -> set[str]:
    """All texts in the code."""
    keywords = parse_keywords(KEYWORDS)
    in_core = extract_from_dir(
        str(PROJECT / "core"), [("**.py", "python")], keywords=keywords, directory_filter=_is_ours
    )
    in_bots = [
        found
        for name in ("slack_texts.py", "discord_texts.py")
        for found in extract_from_file("python", str(PROJECT / "bots" / name), keywords=keywords)
    ]
    told = [*(found[2] for found in in_core), *(found[1] for found in in_bots)]
    return {message if isinstance(message, str) else message[0] for message in told}


def _is_ours(folder: str) -> bool:
    return Path(folder).name != "generation"


def catalogue(language: str) -> Catalog:
    with (LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def calls() -> Iterator[tuple[str, ast.expr]]:
    """Where the code says something, and the text that it says there."""
    position = {"marked": 0, "tell": 0, "_text": 1}
    for file in (PROJECT / "core").rglob("*.py"):
        if not _is_ours(str(file.parent)):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in position and len(node.args) > position[name]:
                    yield f"{file.name}:{node.lineno}", node.args[position[name]]


def _holds_words(expression: ast.expr) -> bool:
    return any(isinstance(node, ast.Constant) and isinstance(node.value, str) for node in ast.walk(expression))


def test_the_code_says_something_that_can_be_found() -> None:
    assert {"A new dialogue begins.", "Stopped.", "begin a new dialogue"} <= said()


def test_a_text_is_one_literal_where_it_is_said() -> None:
    """Babel would join the two sides of a condition into one text that nobody ever says."""
    joined = [where for where, text in calls() if not isinstance(text, ast.Constant) and _holds_words(text)]

    assert joined == []


@pytest.mark.parametrize("language", LANGUAGES)
class TestLanguage:
    def test_it_has_every_text_and_no_other(self, language: str) -> None:
        translated = {str(message.id) for message in catalogue(language) if message.id and message.string}

        assert (said() - translated, translated - said()) == (set(), set())

    def test_nothing_in_it_waits_for_a_translator(self, language: str) -> None:
        assert [message.id for message in catalogue(language) if message.id and message.fuzzy] == []

    def test_its_placeholders_are_those_of_the_english_text(self, language: str) -> None:
        wrong = [m.id for m in catalogue(language) if m.id and fields(str(m.id)) != fields(str(m.string))]

        assert wrong == []

    def test_the_commands_in_it_are_those_of_the_english_text(self, language: str) -> None:
        def commands(text: object) -> list[str]:
            return sorted(re.findall(r"(?<!\w)/\w+(?: use\b| me\b| session\b)?(?: yes\b)?", str(text)))

        assert [m.id for m in catalogue(language) if m.id and commands(m.id) != commands(m.string)] == []

    def test_its_compiled_file_is_up_to_date(self, language: str) -> None:
        compiled = BytesIO()
        write_mo(compiled, catalogue(language))

        assert (LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.mo").read_bytes() == compiled.getvalue()


def test_every_language_names_itself() -> None:
    assert dict(Texts().languages) == {"en": "English", "ar": "العربية", "es": "español"}


def test_a_region_speaks_its_language_and_an_unknown_one_english() -> None:
    texts = Texts()

    assert texts.say("es-MX", "Stopped.") == texts.say("es", "Stopped.") == "Detenido."
    assert texts.say("ES_mx", "Stopped.") == "Detenido."
    assert texts.say("tlh", "Stopped.") == texts.say("", "Stopped.") == "Stopped."


def test_what_has_no_translation_is_said_in_english() -> None:
    assert Texts().say("es", marked("Nobody translated {this}."), this="me") == "Nobody translated me."
    assert Texts().say("es", "") == ""


def test_a_persons_words_are_filled_in_and_never_read() -> None:
    assert Texts().say("es", "Taken back: {text}", text="{0.__class__} %s") == "Retirado: {0.__class__} %s"


def test_the_catalogues_go_into_the_wheel() -> None:
    """Hatchling takes all of a package's folder but what git ignores."""
    ignored = (PROJECT / ".gitignore").read_text().splitlines()
    packages = re.search(r"^packages = (.+)$", (PROJECT / "pyproject.toml").read_text(), re.MULTILINE)

    assert not {"*.mo", "*.po", "locales/"} & set(ignored)
    assert packages is not None
    assert '"core"' in packages[1]
