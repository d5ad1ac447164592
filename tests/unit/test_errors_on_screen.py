"""The last line of a command that failed."""

import pytest

from bots.__main__ import _give_up
from core.errors import ModelError


def test_an_error_is_one_line_that_gives_the_terminal_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="1"):
        _give_up("no model\nnamed \x1b[31mred\x1b]0;owned\x07", ModelError(), debug=False)

    assert capsys.readouterr().err == "error: no model named [31mred]0;owned\n"


def test_an_error_is_raised_as_it_is_for_debugging() -> None:
    with pytest.raises(ModelError, match="why"):
        _give_up("a line", ModelError("why"), debug=True)
