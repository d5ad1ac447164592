"""The schema's revision: which one the database has, which ones this program knows, and the way between.

Alembic takes longer to import than a chat takes to open its database, so it is left alone while nothing is to do.
"""

from pathlib import Path

from alembic.config import Config
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

import migrations
from core.errors import DatabaseTooNew, StorageError
from core.memory.database import Database
