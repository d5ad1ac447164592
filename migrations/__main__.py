"""Writes the next migration: `python -m migrations "what it makes true"`.

Alembic compares the tables with a database that is at the newest revision; what it wrote is to be read and corrected.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from alembic import command

from core.memory.database import Database
from core.memory.upgrade import configured, head, prepare


async def write_migration(subject: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with Database(f"sqlite:///{Path(folder) / 'banter.db'}") as database:
            await prepare(database)
            async with database.migrating() as connection:
                await connection.run_sync(
                    lambda locked: command.revision(
                        configured(locked), subject, autogenerate=True, rev_id=f"{int(head()) + 1:04}"
                    )
                )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m migrations", description=__doc__)
    parser.add_argument("subject")
    asyncio.run(write_migration(parser.parse_args().subject))
