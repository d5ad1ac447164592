"""Slack's own places in an organisation, in a channel shared with another company, and under spoilt input."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from adapters.payloads import NotUnderstood
from adapters.slack.api import Clients
from adapters.slack.buttons import Buttons
from adapters.slack.interactions import Known
from adapters.slack.native import Native
from adapters.slack.workspaces import Workspace
from bots.sandbox.local_slack.driver import LocalSlack, local_slack
from bots.sandbox.local_slack.limits import NO_RATES
from bots.sandbox.local_slack.options import Options
from core.dialogue import Feedback
from core.errors import PlatformError
from tests.fuzz.spoilt import spoilt
from tests.integration.slack.native_stage import LABELS, SECRET, native_stage
from tests.integration.slack.receiving import Kept
from tests.unit.slack.acted import APP, SEALS, TEAM, PaperBook, opened
from tests.unit.slack.given import BUTTONS, GIVEN, HOMES, WHOLE

SPOILT = 400


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with local_slack() as slack:
        yield slack


async def test_in_an_organisation_people_and_dialogues_belong_to_it(slack: LocalSlack) -> None:
    team = await slack.team("Acme Labs", "E0ACME")
    organisation = await slack.installs("E0ACME")
    ivy = await slack.person("Ivy", team, organisation)
    async with native_stage(slack, organisation) as stage:
        await ivy.opens_app("home")
        await ivy.home()
        await ivy.presses_in_home(LABELS.home.forget_me)
        await ivy.commands("/banter new")
        await stage.kept.until(lambda kept: len(kept.said) == 2)

    forgotten, commanded = stage.kept.said
    assert (forgotten.text, commanded.text) == ("/forget me yes", "/new")
    assert {one.session_key.workspace for one in stage.kept.said} == {"E0ACME"}
    assert {(one.person.workspace, one.person.platform_id) for one in stage.kept.said} == {("E0ACME", ivy.id)}
    assert {(one.workspace, one.platform_id) for one in stage.book.asked} == {("E0ACME", ivy.id)}


async def test_somebody_of_another_company_who_presses_a_button_is_told_from_our_people(slack: LocalSlack) -> None:
    other = await slack.team("Globex")
    anna, greg = await slack.person("Anna"), await slack.person("Greg", other)
    shared = await slack.channel("together", anna, greg, shared_with=[other])
    root = await anna.says(f"{slack.mention} hello", shared)
    async with native_stage(slack) as stage:
        blocks = [dict(one) for one in Buttons(SECRET).below(stage.key(shared, root.ts), "0123456789abcdef0123")]
        told = {"channel": shared.id, "thread_ts": root.ts, "text": "hi", "blocks": blocks}
        await stage.clients.call(slack.token, "chat.postMessage", told)
        reply = await shared.shows("hi")
        await greg.presses("👍", reply, shared)
        await anna.presses("👍", reply, shared)
        await stage.kept.until(lambda kept: len(_judged(kept)) == 2)

    assert {(one.person.workspace, one.person.platform_id) for one in _judged(stage.kept)} == {
        (other, greg.id),
        (slack.install.id, anna.id),
    }


def _judged(kept: Kept) -> list[Feedback]:
    return [one.inbound for one in kept.arrivals if isinstance(one.inbound, Feedback)]


async def test_spoilt_interactions_show_nobody_what_is_anothers() -> None:
    visits = [
        opened("app_home_opened", GIVEN[person][1], user=person, tab=tab)
        for person in GIVEN
        for tab in ("home", "messages")
    ]
    came_to: Counter[str] = Counter()
    async with local_slack(Options(rates=NO_RATES)) as slack:
        clients = Clients(slack.api_url)
        native = Native(Known(APP, BUTTONS, SEALS), clients, PaperBook(**HOMES), LABELS)
        workspace = Workspace(TEAM, "U0BOT", "B0BOT", slack.token)
        for body in spoilt([*WHOLE, *visits * 2], SPOILT, 20_261_122):
            try:
                await native.respond(body, workspace)
                came_to["nothing, or shown"] += 1
            except (PlatformError, NotUnderstood) as error:
                came_to[type(error).__name__] += 1
        await clients.aclose()
        shown = await slack.calls("views.publish")

    assert sum("said" in str(call.parameters["view"]) for call in shown) > SPOILT / 20
    for call in shown:
        told = str(call.parameters["view"])
        assert {person for person in GIVEN if f"What {person} said" in told} <= {call.parameters["user_id"]}
    assert set(came_to) == {"nothing, or shown", "NotUnderstood", "Refused"}
