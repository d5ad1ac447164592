"""The whole assistant on the walk, with a model that needs no time, beside a local Slack."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr
from starlette.applications import Starlette

from bots.sandbox.local_slack.driver import LocalSlack, local_slack
from bots.sandbox.local_slack.options import Options
from bots.slack_workspace import open_slack
from bots.walk import Ground, Walk, open_walk
from bots.web import serving
from core.memory.database import Database
from core.memory.exporting import Consent
from core.memory.upgrade import prepare
from core.privacy import PrivacyByCommand
from core.settings.settings import Settings
from core.settings.slack import SlackSettings
from core.voice import Voices
from tests.platforms.paper_bot import OPTIONS
from tests.platforms.paper_model import PaperModel

WAIT_S = 30.0
PATIENT = replace(OPTIONS, lease_s=60.0, answer=replace(OPTIONS.answer, notice_after_s=30.0))


@dataclass(frozen=True, slots=True)
class Scene:
    slack: LocalSlack
    model: PaperModel
    database: Database
    walk: Walk
    #: Of the program's own web server; 0 where there is none.
    port: int = 0


def by_socket(slack: LocalSlack) -> SlackSettings:
    return SlackSettings(
        token=SecretStr(slack.token), app_token=SecretStr(slack.app_token), api_url=slack.api_url.rstrip("/")
    )


def by_http(slack: LocalSlack) -> SlackSettings:
    return SlackSettings(
        token=SecretStr(slack.token),
        signing_secret=SecretStr(slack.signing_secret),
        receive="http",
        app_id=slack.app_id,
        api_url=slack.api_url.rstrip("/"),
    )


def installed_by_people(slack: LocalSlack) -> SlackSettings:
    return by_http(slack).model_copy(
        update={
            "token": SecretStr(""),
            "client_id": slack.client_id,
            "client_secret": SecretStr(slack.client_secret),
        }
    )


async def _keep_nothing(_sessions: Sequence[str]) -> None: ...


@asynccontextmanager
async def assistant(
    folder: Path, voices: Voices, told: SlackSettings | None, slack: LocalSlack, model: PaperModel | None = None
) -> AsyncIterator[Scene]:
    """None: by websockets. People and channels are the test's."""
    told, model = told or by_socket(slack), model or PaperModel()
    async with Database(f"sqlite:///{folder / 'banter.db'}") as database, AsyncExitStack() as closing:
        await prepare(database)
        settings = Settings(slack=told, paths={"data": folder, "cache": folder})  # type: ignore[arg-type]
        product = await closing.enter_async_context(open_slack(settings, b"of the tests", database))
        port = 0
        if product.routes:
            app = Starlette(routes=list(product.routes))
            port = await closing.enter_async_context(serving(app, "127.0.0.1", 0))
        privacy = PrivacyByCommand(Consent(frozenset()), _keep_nothing)
        closing.push_async_callback(privacy.aclose)
        walk = await closing.enter_async_context(
            open_walk(Ground(database, model, voices, privacy=privacy), [product.account], PATIENT)
        )
        if product.routes:
            await slack.post_events_to(f"http://127.0.0.1:{port}/slack/events")
        else:
            await slack.connected()
        yield Scene(slack, model, database, walk, port)


@asynccontextmanager
async def scene(
    folder: Path, voices: Voices, options: Options | None = None, *, over_http: bool = False
) -> AsyncIterator[Scene]:
    async with local_slack(options or Options()) as slack:
        told = by_http(slack) if over_http else by_socket(slack)
        async with assistant(folder, voices, told, slack) as found:
            yield found
