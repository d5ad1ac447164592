"""What a method was called with: query string, form, multipart or JSON, understood alike.

As on Telegram's server every value is text; what is not a string in JSON is kept as the JSON of it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.refusals import Refused, bad_request

#: Telegram takes 50 MB of a file; a request is bounded somewhat above.
_LONGEST_BODY = 60 << 20
_PART_BYTES = 1 << 20
_TRUE = {"1", "true", "yes"}


@dataclass(frozen=True, slots=True)
class Upload:
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Parameters:
    values: Mapping[str, str]
    files: Mapping[str, Upload] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return self.values.get(name, "")

    def integer(self, name: str, default: int = 0) -> int:
        """What is no integer counts as none, as on Telegram's server."""
        try:
            return int(self.values.get(name, ""))
        except ValueError:
            return default

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in _TRUE

    def json(self, name: str, called: str = "") -> object:
        """None where it is not given."""
        text = self.text(name)
        if not text:
            return None
        try:
            return json.loads(text)
        except ValueError:
            raise bad_request(f"can't parse {called or name} JSON object") from None

    def json_object(self, name: str, called: str = "") -> JsonObject | None:
        value = self.json(name, called)
        if value is not None and not isinstance(value, dict):
            raise bad_request(f"object expected as {called or name}")
        return value


async def read_parameters(request: Request) -> Parameters:
    """Raises Refused where the body can't be understood."""
    values = dict(request.query_params)
    files: dict[str, Upload] = {}
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if int(request.headers.get("content-length", "0")) > _LONGEST_BODY:
        raise Refused(413, "Request Entity Too Large")
    if kind == "application/json":
        values |= _from_json(await request.body())
    elif kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        try:
            async with request.form(max_part_size=_PART_BYTES) as form:
                for name, value in form.multi_items():
                    if isinstance(value, UploadFile):
                        files[name] = await _uploaded(value)
                    else:
                        values[name] = value
        except HTTPException as error:
            raise bad_request(f"can't parse the form ({error.detail})") from None
    return Parameters(values, files)


async def _uploaded(file: UploadFile) -> Upload:
    return Upload(file.filename or "file", file.content_type or "application/octet-stream", await file.read())


def _from_json(body: bytes) -> dict[str, str]:
    try:
        said = json.loads(body or b"{}")
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise bad_request("can't parse JSON object")
    return {name: _as_text(value) for name, value in said.items() if value is not None}


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
