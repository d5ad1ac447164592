"""What becomes of messages in Slack after they were said, as the core hears it."""

import pytest

from core.dialogue import Deletion, Edit, Feedback, Opinion
from tests.unit.slack.happenings import (
    ANNA,
    BOT_USER,
    CHANNEL,
    LATER,
    LATEST,
    OMAR,
    ROOT,
    deleted,
    edited,
    key,
    person,
    reacted,
    stopped,
    understood,
)

OURS = f"<@{BOT_USER}>"


class TestEditsAndDeletions:
    def test_an_edit_is_about_the_message_that_it_changes(self) -> None:
        [edit] = understood(edited("What is rain?", f"{OURS} What is snow?", thread_ts=ROOT))

        assert isinstance(edit, Edit)
        assert (edit.session_key, edit.person, edit.message_id) == (key(CHANNEL, ROOT), person(ANNA), ROOT)
        assert edit.text == "What is snow?"

    def test_two_edits_within_a_second_are_two(self) -> None:
        [first], [second] = understood(edited("a", "b")), understood(edited("b", "c"))

        assert first.event_key != second.event_key
        assert first.event_key == understood(edited("a", "b"))[0].event_key

    def test_a_deletion_is_about_the_message_that_is_gone(self) -> None:
        assert understood(deleted(thread_ts="1794999999.000001")) == [Deletion(key(CHANNEL, "1794999999.000001"), ROOT)]
        assert understood(deleted()) == [Deletion(key(CHANNEL, ROOT), ROOT)]

    def test_a_deletion_is_told_without_what_was_deleted(self) -> None:
        body = deleted()
        del body["event"]["previous_message"]

        assert understood(body) == [Deletion(key(CHANNEL, ROOT), ROOT)]

    def test_a_root_with_replies_leaves_a_tombstone(self) -> None:
        body = edited(
            "What is rain?", "This message was deleted.", subtype="tombstone", user="USLACKBOT", thread_ts=ROOT
        )

        assert understood(body) == [Deletion(key(CHANNEL, ROOT), ROOT)]


class TestFeedback:
    @pytest.mark.parametrize(
        ("reaction", "opinion"),
        [("+1", Opinion.GOOD), ("thumbsup", Opinion.GOOD), ("-1", Opinion.BAD), ("+1::skin-tone-4", Opinion.GOOD)],
    )
    def test_a_thumb_is_an_opinion(self, reaction: str, opinion: Opinion) -> None:
        [feedback] = understood(reacted(reaction))

        assert isinstance(feedback, Feedback)
        assert (feedback.session_key, feedback.message_id) == (key(CHANNEL), LATER)
        assert (feedback.person, feedback.opinion, feedback.is_withdrawn) == (person(ANNA), opinion, False)

    def test_one_that_is_taken_back_is_withdrawn(self) -> None:
        [feedback] = understood(reacted("+1", "reaction_removed"))

        assert isinstance(feedback, Feedback)
        assert feedback.is_withdrawn

    def test_it_is_known_again_when_it_is_delivered_again_and_only_then(self) -> None:
        keys = {
            understood(body)[0].event_key
            for body in (reacted("+1"), reacted("+1"), reacted("+1", user=OMAR), reacted("+1", event_ts=ROOT))
        }

        assert len(keys) == 3

    @pytest.mark.parametrize(("streams", "message"), [((), ""), ((LATER,), LATER), ((ROOT, LATER), LATER)])
    def test_slacks_own_stop_names_what_was_being_shown(self, streams: tuple[str, ...], message: str) -> None:
        assert understood(stopped(*streams)) == [
            Feedback(key(CHANNEL, ROOT), person(ANNA), message, Opinion.STOP, LATEST)
        ]
