"""What a program says to a database: recorded while it runs, in its transactions, and said again bare.

Bare is the same SQL with the same values in the same transactions over the same driver, and nothing around it: no
dialogue, no leases to wait for, no statement to be built, no row to be read.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event, text

from core.memory.database import Database

#: Reads go on beside the writes; so many at once, as the pool has it.
_READERS = 5


@dataclass(frozen=True, slots=True)
class Said:
    """One statement with its values, or with several rows of them."""

    statement: str
    values: Any
    step: str


@dataclass(slots=True)
class Transaction:
    writes: bool
    said: list[Said] = field(default_factory=list)


class Recorder:
    """The transactions that were committed, in their order; a read is one of its own."""

    def __init__(self, database: Database) -> None:
        self._connections = database._connections
        self.transactions: list[Transaction] = []
        #: Which step of the walk speaks; of the writes alone, since one of them runs at a time.
        self.step = ""
        self._open: dict[int, Transaction] = {}

    @contextmanager
    def recording(self) -> Iterator[None]:
        hooks = (
            ("begin", self._begin),
            ("before_cursor_execute", self._execute),
            ("commit", self._commit),
            ("rollback", self._rollback),
        )
        engines = self._engines()
        for engine in engines:
            for name, hook in hooks:
                event.listen(engine, name, hook)
        try:
            yield
        finally:
            for engine in engines:
                for name, hook in hooks:
                    event.remove(engine, name, hook)

    @property
    def statements(self) -> Counter[str]:
        """By step."""
        return Counter(said.step for transaction in self.transactions for said in transaction.said)

    def _engines(self) -> list[Engine]:
        """Those that tell of all statements: PostgreSQL's reader is the writer in another mode, which tells of both."""
        reader, writer = self._connections.reader.sync_engine, self._connections.writer.sync_engine
        return [writer] if reader.pool is writer.pool else [writer, reader]

    def _begin(self, connection: Connection) -> None:
        self._open[id(connection)] = Transaction(writes=self._is_writer(connection.engine))

    def _execute(
        self, connection: Connection, _cursor: object, statement: str, values: Any, _context: object, _many: bool
    ) -> None:
        if statement == "BEGIN IMMEDIATE":  # the database's own way to begin, and so the replay's
            return
        transaction = self._open.setdefault(id(connection), Transaction(writes=self._is_writer(connection.engine)))
        transaction.said.append(Said(statement, values, self.step if transaction.writes else "read"))

    def _commit(self, connection: Connection) -> None:
        self._close(connection)

    def _rollback(self, connection: Connection) -> None:
        """A reader ends with one; a writer's means that nothing was written."""
        if self._is_writer(connection.engine):
            self._open.pop(id(connection), None)
        else:
            self._close(connection)

    def _close(self, connection: Connection) -> None:
        transaction = self._open.pop(id(connection), None)
        if transaction is not None and transaction.said:
            self.transactions.append(transaction)

    def _is_writer(self, engine: Engine) -> bool:
        return engine is self._connections.writer.sync_engine


async def say_again(database: Database, transactions: Sequence[Transaction]) -> None:
    """Writes one after another; a read begins when the writes before it are done, beside those after it."""
    room = asyncio.Semaphore(_READERS)
    reads: set[asyncio.Task[None]] = set()

    async def read(transaction: Transaction) -> None:
        try:
            async with database.reading() as connection:
                await _say(connection, transaction)
        finally:
            room.release()

    for transaction in transactions:
        if transaction.writes:
            async with database.writing() as connection:
                await _say(connection, transaction)
        else:
            await room.acquire()
            task = asyncio.create_task(read(transaction))
            reads.add(task)
            task.add_done_callback(reads.discard)
    await asyncio.gather(*reads)


async def _say(connection: Any, transaction: Transaction) -> None:
    for said in transaction.said:
        result = await connection.exec_driver_sql(said.statement, said.values)
        if result.returns_rows:
            result.all()


_COUNTED = {
    "inbox": "SELECT state, count(*) FROM inbox GROUP BY state",
    "turns": "SELECT role || ' ' || state, count(*) FROM turns GROUP BY role, state",
    "deliveries": "SELECT state, count(*) FROM deliveries GROUP BY state",
    "parts": "SELECT CASE WHEN closed THEN 'closed' ELSE 'open' END, count(*) FROM parts GROUP BY closed",
    "platform_messages": "SELECT direction, count(*) FROM platform_messages GROUP BY direction",
    "leases": "SELECT CASE WHEN owner = '' THEN 'free' ELSE 'held' END, count(*) FROM leases GROUP BY owner = ''",
}


async def count_rows(database: Database) -> dict[str, dict[str, int]]:
    """Table → state → rows."""
    counted = {}
    async with database.reading() as connection:
        for table, statement in _COUNTED.items():
            counted[table] = {str(state): int(rows) for state, rows in await connection.execute(text(statement))}
    return counted


_SQLITE_TRIGGERS = (
    "CREATE TABLE passed (what TEXT)",
    "CREATE TRIGGER t1 AFTER INSERT ON inbox BEGIN INSERT INTO passed VALUES ('message ' || NEW.state); END",
    """CREATE TRIGGER t2 AFTER UPDATE OF state ON inbox WHEN OLD.state <> NEW.state
    BEGIN INSERT INTO passed VALUES ('message ' || NEW.state); END""",
    "CREATE TRIGGER t3 AFTER INSERT ON deliveries BEGIN INSERT INTO passed VALUES ('reply ' || NEW.state); END",
    """CREATE TRIGGER t4 AFTER UPDATE OF state ON deliveries WHEN OLD.state <> NEW.state
    BEGIN INSERT INTO passed VALUES ('reply ' || NEW.state); END""",
)
_POSTGRESQL_TRIGGERS = (
    "CREATE TABLE passed (what TEXT)",
    """CREATE FUNCTION pass() RETURNS trigger AS $$ BEGIN IF TG_OP = 'INSERT' OR OLD.state <> NEW.state THEN
    INSERT INTO passed VALUES (TG_ARGV[0] || ' ' || NEW.state); END IF; RETURN NEW; END $$ LANGUAGE plpgsql""",
    "CREATE TRIGGER t1 AFTER INSERT OR UPDATE ON inbox FOR EACH ROW EXECUTE FUNCTION pass('message')",
    "CREATE TRIGGER t2 AFTER INSERT OR UPDATE ON deliveries FOR EACH ROW EXECUTE FUNCTION pass('reply')",
)


async def write_states_down(database: Database) -> None:
    """From now on the database itself notes every state that a message or a reply comes into."""
    async with database.writing() as connection:
        for statement in _POSTGRESQL_TRIGGERS if database.knows_notify else _SQLITE_TRIGGERS:
            await connection.exec_driver_sql(statement)


async def states_passed(database: Database) -> dict[str, int]:
    async with database.reading() as connection:
        rows = await connection.execute(text("SELECT what, count(*) FROM passed GROUP BY what"))
        return {str(what): int(count) for what, count in rows}
