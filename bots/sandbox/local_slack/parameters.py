"""What a method was called with: query string, form, multipart or JSON, understood alike."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.refusals import Refused

_TRUE = {"1", "true"}


@dataclass(frozen=True, slots=True)
class Parameters:
    values: Mapping[str, object]

    def text(self, name: str) -> str:
        """ "" where it is not given."""
        value = self.values.get(name)
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value)

    def required(self, name: str) -> str:
        """Raises Refused."""
        if not (text := self.text(name)):
            raise Refused(
                "invalid_arguments", response_metadata={"messages": [f"[ERROR] missing required field: {name}"]}
            )
        return text

    def has(self, name: str) -> bool:
        return self.values.get(name) is not None

    def integer(self, name: str, default: int = 0) -> int:
        """What is no integer counts as none."""
        try:
            return int(self.text(name))
        except ValueError:
            return default

    def number(self, name: str, default: float = 0.0) -> float:
        try:
            return float(self.text(name))
        except ValueError:
            return default

    def flag(self, name: str, *, default: bool = False) -> bool:
        return self.text(name).lower() in _TRUE if self.has(name) else default

    def structure(self, name: str, error: str = "invalid_arguments") -> object:
        """JSON, said in JSON or as the text of it; None where it is not given. Raises Refused."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise Refused(error) from None

    def items(self, name: str, error: str = "invalid_arguments") -> list[JsonObject]:
        """A list of objects, empty where it is not given. Raises Refused."""
        value = self.structure(name, error)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise Refused(error)
        return value

    def mapping(self, name: str, error: str = "invalid_arguments") -> JsonObject | None:
        """Raises Refused."""
        value = self.structure(name, error)
        if value is not None and not isinstance(value, dict):
            raise Refused(error)
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts, as JSON or with commas between them."""
        value = self.values.get(name)
        if isinstance(value, list):
            return [str(one) for one in value]
        text = self.text(name)
        if text.startswith("["):
            said = self.structure(name)
            return [str(one) for one in said] if isinstance(said, list) else []
        return [one.strip() for one in text.split(",") if one.strip()]


async def read_parameters(request: web.Request) -> Parameters:
    """Raises Refused where the body can't be understood."""
    values: JsonObject = dict(request.query)
    if request.content_type == "application/json":
        values |= _from_json(await request.read())
    elif request.content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        for name, value in (await request.post()).items():
            values[name] = value if isinstance(value, str) else ""
    return Parameters(values)


def _from_json(body: bytes) -> JsonObject:
    try:
        said = json.loads(body or b"{}")
    except ValueError:
        raise Refused("invalid_json") from None
    if not isinstance(said, dict):
        raise Refused("json_not_object")
    return said
