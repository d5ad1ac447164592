"""The caller's side of the control interface."""

import ssl

import httpx2

from bots.sandbox.json_values import JsonObject, as_json

_TIMEOUT_S = 60.0
_JSON = {"Content-Type": "application/json"}


class OrderRefused(Exception):
    """The order could not be carried out."""


class Orders:
    """One server's."""

    def __init__(self, control_url: str) -> None:
        nobody_trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # it is plain HTTP; the usual one takes long to load
        self._client = httpx2.AsyncClient(
            base_url=control_url, timeout=_TIMEOUT_S, trust_env=False, verify=nobody_trusted
        )

    async def give(self, order: str, **parameters: object) -> object:
        """What came of it. Raises OrderRefused."""
        answer = await self._client.post(f"/control/{order}", content=as_json(parameters), headers=_JSON)
        said = answer.json()
        if not answer.is_success:
            raise OrderRefused(f"{order}: {said['error']}")
        return said["result"]

    async def ask(self, order: str, **parameters: object) -> JsonObject:
        """As `give`, where an object comes of it."""
        result = await self.give(order, **parameters)
        if not isinstance(result, dict):
            raise OrderRefused(f"{order}: {result!r} is no object")
        return result

    async def aclose(self) -> None:
        await self._client.aclose()
