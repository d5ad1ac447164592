"""What a request carries: JSON, or a form with JSON and files in it; and orders, which are JSON too."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from bots.sandbox.json_values import JsonObject, list_in, object_in
from bots.sandbox.local_discord.refusals import Refused, invalid

_FILE = re.compile(r"files\[(\d+)\]|file")


@dataclass(frozen=True, slots=True)
class Upload:
    #: The number in `files[n]`.
    number: str
    name: str
    content: bytes
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Body:
    values: Mapping[str, object]
    files: tuple[Upload, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    #: Where it was no object: the commands of an application.
    listed: tuple[JsonObject, ...] = ()

    def has(self, name: str) -> bool:
        """Given, be it null."""
        return name in self.values

    def text(self, name: str) -> str:
        """ "" where it is not given. Raises Refused."""
        value = self.values.get(name)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise invalid(name, "STRING_TYPE_CONVERT", f"Could not interpret {value!r} as string.")
        return str(value)

    def integer(self, name: str, default: int = 0) -> int:
        """Raises Refused."""
        value = self.values.get(name, self.query.get(name))
        if value is None:
            return default
        try:
            return int(str(value))
        except ValueError:
            raise invalid(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.') from None

    def number(self, name: str, default: float = 0.0) -> float:
        """Raises Refused."""
        value = self.values.get(name)
        try:
            return default if value is None else float(str(value))
        except ValueError:
            raise invalid(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not float.') from None

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.values.get(name)
        return default if value is None else value is True or str(value).lower() == "true"

    def mapping(self, name: str) -> JsonObject:
        """Empty where it is not given."""
        return object_in(self.values.get(name))

    def items(self, name: str) -> list[JsonObject]:
        """Empty where it is not given. Raises Refused."""
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise invalid(name, "BASE_TYPE_BAD_TYPE", "Only iterables of objects may be used in this.")
        return value

    def texts(self, name: str) -> list[str]:
        """Empty where it is not given."""
        return [str(one) for one in list_in(self.values.get(name))]


async def read_body(request: web.Request) -> Body:
    """Raises Refused where it can't be understood."""
    query = dict(request.query)
    if request.content_type == "multipart/form-data":
        return await _from_form(request, query)
    said = _from_json(await request.read())
    if isinstance(said, list):
        return Body({}, query=query, listed=tuple(one for one in said if isinstance(one, dict)))
    return Body(said, query=query)


async def _from_form(request: web.Request, query: Mapping[str, str]) -> Body:
    values: JsonObject = {}
    files = []
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            number = _FILE.fullmatch(name)
            kind = value.content_type or "application/octet-stream"
            files.append(Upload(number[1] or "0" if number else "0", value.filename, value.file.read(), kind))
        elif name == "payload_json":
            values |= object_in(_from_json(value.encode() if isinstance(value, str) else bytes(value)))
        elif isinstance(value, str):
            values[name] = value
    return Body(values, tuple(files), query)


def _from_json(body: bytes) -> JsonObject | list[object]:
    try:
        said = json.loads(body or b"{}")
    except ValueError:
        raise Refused(400, 50109) from None
    if not isinstance(said, dict | list):
        raise Refused(400, 50109)
    return said
