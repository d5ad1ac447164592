"""config.toml → the policy."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bots.policies import models_of_places, policy_of
from core.access import EVERYWHERE, Name, Rank
from core.dialogue import Platform, SessionKey
from core.errors import SettingsError
from core.generation.request import SamplingParams
from core.policy import Calling, Manner
from core.quotas import Amount
from core.settings.answering import AnsweringSettings, PlaceSettings
from core.settings.file import load_settings
from core.settings.settings import Settings
from tests.unit.spoken import DM, GUILD, person

SLACK = SessionKey(Platform.SLACK, "banter", "T1", "C1")


def loaded(folder: Path, text: str) -> Settings:
    file = folder / "config.toml"
    file.write_text(text)
    return load_settings(file)


def test_without_a_word_everybody_who_calls_the_bot_is_answered() -> None:
    policy = policy_of(Settings())

    assert policy.manner(GUILD) == Manner("banter")
    assert policy.admits(GUILD, person())
    assert not policy.quotas.limits


def test_a_channel_says_what_is_different_there(tmp_path: Path) -> None:
    policy = policy_of(
        loaded(
            tmp_path,
            """
            [answering]
            idle_s = 60.0
            [personas.pirate]
            [places."slack/T1/C1"]
            persona = "pirate"
            sampling = { temperature = 0.5 }
            [places."slack/T1"]
            language = "es"
            answer_to = ["mention"]
            sampling = { temperature = 0.1, top_k = 3 }
            [places."telegram//-100"]
            each_alone = true
            group_context = true
            """,
        )
    )

    there, beside = policy.manner(SLACK), policy.manner(SessionKey(Platform.SLACK, "banter", "T1", "C2"))
    assert (there.persona, there.language, there.idle_s) == ("pirate", "es", 60.0)
    assert there.calls.rules == {Calling.MENTION}
    assert there.sampling is not None
    assert there.sampling(SamplingParams(top_p=0.9)) == SamplingParams(temperature=0.5, top_k=3, top_p=0.9)
    assert (beside.persona, beside.language) == ("banter", "es")
    assert policy.manner(SessionKey(Platform.TELEGRAM, "banter", "", "-100")).each_alone
    assert policy.manner(GUILD) == Manner("banter", idle_s=60.0)


def test_a_channel_may_have_a_model_of_its_own(tmp_path: Path) -> None:
    settings = loaded(tmp_path, '[places."slack/T1"]\nmodel = "a"\n[places."slack/T1/C2"]\nmodel = ""')

    assert policy_of(settings).manner(SLACK).model == "a"
    assert policy_of(settings).manner(SessionKey(Platform.SLACK, "banter", "T1", "C2")).model == ""
    assert models_of_places(settings) == ("a",)


def test_lists_ranks_and_quotas(tmp_path: Path) -> None:
    policy = policy_of(
        loaded(
            tmp_path,
            """
            [answering]
            time_zone = "Asia/Tokyo"
            quiet_hours = ["22:00-07:00"]
            unknown_people = "pair"
            [access]
            deny_people = ["discord/*/42", "telegram//7"]
            allow_workspaces = ["discord/guild", "discord/"]
            [ranks]
            operators = ["discord/guild/olga"]
            moderator_roles = ["discord/guild/mods"]
            [quotas]
            person_messages = 20
            workspace_gpu_s = 600.0
            """,
        )
    )

    assert policy.access.denied.people == {Name(Platform.DISCORD, EVERYWHERE, "42"), Name(Platform.TELEGRAM, "", "7")}
    assert policy.admits(GUILD, person())
    assert policy.admits(DM, person("anna", ""))
    assert not policy.admits(GUILD, person("42"))
    assert not policy.admits(SLACK, person())
    assert policy.rank(GUILD, person("olga")) is Rank.OPERATOR
    assert policy.rank(GUILD, person(), {"mods"}) is Rank.MODERATOR
    assert (policy.quotas.person, policy.quotas.channel) == (Amount(messages=20), Amount())
    assert (policy.quotas.workspace, policy.quotas.zone) == (Amount(gpu_s=600.0), ZoneInfo("Asia/Tokyo"))
    assert policy.manner(DM).asks_for_code
    assert policy.manner(DM).quiet.until(datetime(2026, 1, 5, 14, tzinfo=UTC)) == datetime(2026, 1, 5, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[answering]\nquiet_hours = ["25:00-07:00"]', "should be two different times"),
        ('[answering]\nquiet_hours = ["07:00-07:00"]', "should be two different times"),
        ('[answering]\nquiet_hours = ["night"]', "should be two different times"),
        ('[answering]\ntime_zone = "Mars/Olympus"', "answering.time_zone = 'Mars/Olympus': should be a time zone"),
        ('[answering]\nprefixes = ["/ask"]', "answering.prefixes.0 = '/ask': should not begin with a slash"),
        ('[answering]\nnames = [" "]', "answering.names.0"),
        ('[answering]\nanswer_to = ["shouting"]', "answering.answer_to.0 = 'shouting': should be 'direct', 'mention'"),
        ('[access]\ndeny_people = ["slack/U1"]', "should name a channel, a person or a role, such as"),
        ('[access]\nallow_workspaces = ["myspace/T1"]', 'should name a workspace, such as "slack/T012"'),
        ('[places."discord/*/C1"]\nlanguage = "es"', "should name a workspace or a channel, such as"),
        ('[places."slack/T1"]\npersona = "nobody"', "places: slack/T1 has no persona nobody; known are banter"),
        ('[places."slack/T1"]\nlang = "es"', "places.slack/T1.lang: unknown key; did you mean language?"),
        ("[quotas]\nperson_messages = -1", "quotas.person_messages = -1"),
    ],
)
def test_a_mistake_says_what_would_be_right(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        loaded(tmp_path, text)

    assert told in str(raised.value)


def test_whatever_can_be_said_of_everywhere_can_be_said_of_a_place() -> None:
    assert set(AnsweringSettings.model_fields) <= set(PlaceSettings.model_fields)
