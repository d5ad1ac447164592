"""The whole assistant, with a model that needs no time: what people see at Slack."""

import json
from pathlib import Path

import pytest

from core.voice import Voices
from tests.integration.slack.assistants import WAIT_S, scene
from tests.platforms.paper_bot import paper_voices
from tests.platforms.paper_model import answer_to

BOTH_WAYS = pytest.mark.parametrize("over_http", [False, True], ids=["socket", "http"])


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Voices:
    return paper_voices(tmp_path_factory.mktemp("voices"))


@BOTH_WAYS
async def test_a_direct_message_is_answered_in_its_thread(tmp_path: Path, voices: Voices, over_http: bool) -> None:
    async with scene(tmp_path, voices, over_http=over_http) as found:
        ann = await found.slack.person("Ann")
        asked = await ann.says("hello")
        await ann.dm.shows(answer_to("hello"), WAIT_S)
        await ann.says("and more", thread=asked)
        await ann.dm.shows(answer_to("and more"), WAIT_S)

        answers = await ann.dm.answers(2, root=asked, timeout_s=WAIT_S)
        assert [message.text for message in answers] == [answer_to("hello"), answer_to("and more")]
        assert found.model.asked() == ["hello", "and more"]
        assert await found.slack.excesses() == {}


@BOTH_WAYS
async def test_a_thread_goes_on_without_a_mention_where_the_bot_was_called(
    tmp_path: Path, voices: Voices, over_http: bool
) -> None:
    async with scene(tmp_path, voices, over_http=over_http) as found:
        slack = found.slack
        ann, ben = await slack.person("Ann"), await slack.person("Ben")
        general = await slack.channel("general", ann, ben)
        asked = await ann.says(f"{slack.mention} hello", general)
        await general.shows(answer_to("hello"), WAIT_S)
        await ben.says("and me?", general, thread=asked)
        await general.answers(2, root=asked, timeout_s=WAIT_S)
        aside = await ben.says("not for the bot", general)
        await ann.says("nor this", general, thread=aside)
        await slack.settled()

        assert [message.root_ts for message in (await general.look()).bots] == [asked.ts, asked.ts]
        assert found.model.asked() == ["hello", "Ben: and me?"]


async def test_app_home_shows_ones_own_dialogues_and_no_word_of_others(tmp_path: Path, voices: Voices) -> None:
    async with scene(tmp_path, voices) as found:
        slack = found.slack
        ann, ben = await slack.person("Ann"), await slack.person("Ben")
        general = await slack.channel("general", ann, ben)
        await ann.says("How do I bake bread?")
        asked = await ben.says(f"{slack.mention} my secret", general)
        await general.answers(1, timeout_s=WAIT_S)
        await ann.says("and mine?", general, thread=asked)
        await general.answers(2, timeout_s=WAIT_S)
        await ann.dm.answers(1, timeout_s=WAIT_S)
        await ann.opens_app()

        seen = json.dumps((await ann.home(WAIT_S)).blocks)
        assert "How do I bake bread?" in seen
        assert "and mine?" in seen
        assert "secret" not in seen


async def test_a_thread_is_given_commands_by_a_mention(tmp_path: Path, voices: Voices) -> None:
    """Slack's own slash commands can't be said in threads."""
    async with scene(tmp_path, voices) as found:
        slack = found.slack
        ann = await slack.person("Ann")
        general = await slack.channel("general", ann)
        asked = await ann.says(f"{slack.mention} hello", general)
        await general.answers(1, root=asked, timeout_s=WAIT_S)
        await ann.says(f"{slack.mention} /undo", general, thread=asked)
        await general.answers(2, root=asked, timeout_s=WAIT_S)
        await ann.says("and now?", general, thread=asked)
        await general.answers(3, root=asked, timeout_s=WAIT_S)

        assert [message.content for message in found.model.requests[-1].prompt.messages] == ["and now?"]
