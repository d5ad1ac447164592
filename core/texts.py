"""What the program itself says to people, in their language.

The English text is the key. Each one stands as it is in a call that `make messages` knows (`marked`, `tell`, `say`,
`_text`), which gathers them into `core/locales` for the translators; GNU gettext's format, written by Babel.
"""

from collections.abc import Mapping
from functools import cached_property
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

DOMAIN = "banter"
LOCALES = Path(__file__).parent / "locales"
ENGLISH = "en"


def marked(english: str) -> str:
    """A text that is said later, and somewhere else."""
    return english


#: On the buttons of a reply, where a platform has words there.
STOP_LABEL = marked("Stop")
AGAIN_LABEL = marked("Again")


class Texts:
    """Those of all languages: the files are small, and read at once."""

    def __init__(self, folder: Path = LOCALES) -> None:
        self._catalogues = {ENGLISH: NullTranslations()}
        for file in sorted(folder.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")):
            with file.open("rb") as catalogue:
                self._catalogues[file.parts[-3]] = GNUTranslations(catalogue)

    @cached_property
    def languages(self) -> Mapping[str, str]:
        """Each language's tag, and what its speakers call it."""
        from babel import Locale

        return {tag: Locale.parse(tag).get_display_name() or tag for tag in self._catalogues}

    def say(self, language: str, english: str, **values: object) -> str:
        """`{name}`s in the text are filled with `values`; what is not translated is said in English."""
        return self._catalogue(language).gettext(english).format(**values) if english else ""

    def _catalogue(self, language: str) -> NullTranslations:
        """`es` for `es-MX` too."""
        tag = language.replace("_", "-").casefold()
        base = tag.partition("-")[0]
        return self._catalogues.get(tag) or self._catalogues.get(base) or self._catalogues[ENGLISH]
