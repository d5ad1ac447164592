"""What a person sees of themselves in Slack's App Home: dialogues, by what the person said in them."""

from collections.abc import Sequence

from adapters.slack.home import Home, HomeDialogue
from core.access import Rank
from core.commands.command import Command, parse
from core.dialogue import Person
from core.memory.database import Database
from core.memory.own_dialogues import OwnDialogue, own_dialogues
from core.policy import Policy
from core.texts import Texts

_MOST_DIALOGUES = 25
_TITLE_CHARS = 100


class SlackHomeBook:
    """Implements `HomeBook`, for one app."""

    def __init__(self, database: Database, app_id: str, policy: Policy, personas: Sequence[str], texts: Texts) -> None:
        self._database = database
        self._app_id = app_id
        self._policy = policy
        self._personas = tuple(personas)
        self._texts = texts

    async def of(self, person: Person) -> Home:
        """See `HomeBook`."""
        own = await own_dialogues(self._database, self._app_id, person, _MOST_DIALOGUES)
        return Home(tuple(self._shown(one, person) for one in own), self._personas, self._texts.languages)

    def _shown(self, own: OwnDialogue, person: Person) -> HomeDialogue:
        session = own.session
        key = session.key
        is_alone = key.channel.startswith("D") or key.person == person.platform_id
        return HomeDialogue(
            key=key,
            title=_title(own.said),
            last_active=session.last_active_at,
            persona=session.persona,
            language=session.language,
            streaming=session.streaming,
            may_decide=is_alone or self._policy.rank(key, person) >= Rank.MODERATOR,
        )


def _title(said: str) -> str:
    """The first line; "" for a command."""
    text = parse(said)
    line = "" if isinstance(text, Command) else next((line for line in text.splitlines() if line.strip()), "")
    return line.strip()[:_TITLE_CHARS]
