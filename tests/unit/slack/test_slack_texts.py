"""Slack's mrkdwn, as people meant it."""

import pytest

from adapters.slack.texts import Heard, heard, mentioned_in, plain

NAMES = {"U0ANNA0001": "Anna Berg"}
BOT = "U0BANTER01"


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("rain &amp; snow", "rain & snow"),
        ("a &lt; b &gt; c", "a < b > c"),
        ("&amp;lt; is how &lt; is written", "&lt; is how < is written"),
        ("<@U0ANNA0001> knows", "@Anna Berg knows"),
        ("<@U0OMAR0001|omar> knows", "@omar knows"),
        ("<@U0OMAR0001> knows", "@U0OMAR0001 knows"),
        ("see <#C0KITCHEN1|kitchen>", "see #kitchen"),
        ("see <#C0KITCHEN1>", "see #C0KITCHEN1"),
        ("see <#C0KITCHEN1|>", "see #C0KITCHEN1"),
        ("<!here> hi", "@here hi"),
        ("<!channel|channel> hi", "@channel hi"),
        ("<!subteam^S0COOKS001|@cooks> hi", "@cooks hi"),
        ("<!subteam^S0COOKS001> hi", "@S0COOKS001 hi"),
        ("on <!date^1392734382^{date}|Feb 18th>", "on Feb 18th"),
        ("on <!date^1392734382^{date}^https://example.org|Feb &lt;18th&gt;>", "on Feb <18th>"),
        ("<https://example.org/a?b=1&amp;c=2>", "https://example.org/a?b=1&c=2"),
        ("<http://example.org|example.org>", "example.org"),
        ("<https://example.org/|example.org>", "example.org"),
        ("<https://example.org|the manual>", "the manual (https://example.org)"),
        ("<mailto:anna@example.org|anna@example.org>", "anna@example.org"),
        ("<mailto:anna@example.org>", "anna@example.org"),
        ("<tel:+431234|+43 1234>", "+43 1234 (+431234)"),
        ("*bold* _it_ `code &lt;b&gt;`", "*bold* _it_ `code <b>`"),
        ("<>", ""),
        ("a < b", "a < b"),
        ("&nbsp; &unknown;", "&nbsp; &unknown;"),
        ("", ""),
    ],
)
def test_entities_become_words(told: str, meant: str) -> None:
    assert plain(told, NAMES) == meant


def test_a_name_is_taken_as_it_is() -> None:
    assert plain("<@U0ANNA0001>", {"U0ANNA0001": "<!channel> &lt;"}) == "@<!channel> &lt;"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (f"<@{BOT}> what is rain?", "what is rain?"),
        (f"<@{BOT}>, what is rain?", "what is rain?"),
        (f"<@{BOT}|banter>: what is rain?", "what is rain?"),
        (f"what is rain, <@{BOT}>?", "what is rain?"),
        (f"what is rain <@{BOT}>", "what is rain"),
        (f"hey <@{BOT}> what is <@{BOT}> rain?", "hey what is rain?"),
        (f"one\n<@{BOT}> two", "one\ntwo"),
        (f"<@{BOT}>", ""),
        (f"<@{BOT}> /new", "/new"),
    ],
)
def test_the_bots_own_name_is_cut(told: str, said: str) -> None:
    assert heard(told, BOT, NAMES) == Heard(said, by_mention=True)


@pytest.mark.parametrize("told", ["hi", "<@U0ANNA0001> hi", f"&lt;@{BOT}&gt; hi", f"@{BOT} hi"])
def test_who_is_not_named_is_not_called(told: str) -> None:
    assert not heard(told, BOT, NAMES).by_mention


def test_everybody_who_is_named_is_known() -> None:
    assert mentioned_in("<@U0ANNA0001> and <@W0OMAR0001|omar>, &lt;@U0NOBODY01&gt;") == {"U0ANNA0001", "W0OMAR0001"}
