"""What a product brings to the walk: an account, and perhaps addresses of its own on the program's web server."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from starlette.routing import Route

from bots.walk import Account
from core.memory.database import Database
from core.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class Product:
    account: Account
    routes: Sequence[Route] = ()


class OpenProduct(Protocol):
    def __call__(
        self, settings: Settings, secret: bytes, database: Database, /
    ) -> AbstractAsyncContextManager[Product]:
        """Until the end of the block it can send. The secret is the database's own. Raises SettingsError."""
        ...
