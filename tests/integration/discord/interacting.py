"""Commands, buttons and a modal of a bot that answers as a test tells it to."""

from bots.sandbox.json_values import JsonObject
from tests.integration.discord.plain_clients import Noting, Rest, Said

ASK: JsonObject = {
    "name": "ask",
    "type": 1,
    "description": "Ask",
    "integration_types": [0, 1],
    "contexts": [0, 1, 2],
    "options": [
        {"name": "question", "type": 3, "description": "What?", "required": True},
        {"name": "persona", "type": 3, "description": "Who?", "autocomplete": True},
    ],
}
ABOUT: JsonObject = {"name": "Ask about this", "type": 3, "integration_types": [0, 1], "contexts": [0, 1, 2]}
ROW: JsonObject = {
    "type": 1,
    "components": [
        {"type": 2, "style": 4, "label": "Stop", "custom_id": "stop:1"},
        {"type": 2, "style": 2, "emoji": {"name": "👍"}, "custom_id": "good:1"},
        {"type": 2, "style": 2, "label": "Off", "custom_id": "off", "disabled": True},
    ],
}
FORM: JsonObject = {
    "custom_id": "settings",
    "title": "Settings",
    "components": [
        {
            "type": 18,
            "label": "Language",
            "component": {
                "type": 3,
                "custom_id": "language",
                "options": [{"label": "English", "value": "en", "default": True}, {"label": "Español", "value": "es"}],
            },
        },
        {"type": 18, "label": "Name", "component": {"type": 4, "style": 1, "custom_id": "name", "required": False}},
    ],
}


class Interacting:
    """A connected client that answers nothing by itself."""

    def __init__(self, client: Noting, rest: Rest) -> None:
        self._client = client
        self._rest = rest
        self._count = 0
        self.token = ""
        self.id = ""

    async def next(self) -> JsonObject:
        self._count += 1
        heard = await self._client.hears("INTERACTION_CREATE", self._count)
        self.id, self.token = str(heard["id"]), str(heard["token"])
        return heard

    async def answers(self, kind: int, data: JsonObject | None = None) -> Said:
        given: JsonObject = {"type": kind} | ({"data": data} if data is not None else {})
        where = f"/interactions/{self.id}/{self.token}/callback"
        return await self._rest.ask("POST", where, given, params={"with_response": "true"})

    async def original(self, method: str, given: JsonObject | None = None, message: str = "@original") -> Said:
        return await self._rest.ask(method, f"{self._where}/messages/{message}", given)

    async def follows_up(self, content: str, flags: int = 0) -> Said:
        return await self._rest.ask("POST", self._where, {"content": content, "flags": flags})

    @property
    def _where(self) -> str:
        return f"/webhooks/{self._rest.local.application_id}/{self.token}"
