"""What the program itself says to people, in their language."""


class Texts:
    def say(self, language: str, english: str, **values: object) -> str:  # noqa: ARG002 - languages come with the catalogue
        """`english` is the key; `{name}`s in it are filled with `values`."""
        return english.format(**values)
