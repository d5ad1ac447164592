"""Lists of values in a statement, as one parameter: the statement is the same for each length of them.

SQLAlchemy would make a parameter of every value, and databases would keep a plan for every length.
"""

import json
from collections.abc import Sequence
from typing import Any, Self

from sqlalchemy import BindParameter, Boolean, ColumnElement, Dialect, Text, TypeDecorator, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeEngine


def is_among(column: InstrumentedAttribute[Any], name: str) -> ColumnElement[bool]:
    """Whether it is one of the values of the list that the statement is given under that name."""
    values: BindParameter[Sequence[Any]] = bindparam(name, type_=_List(column.type))
    return _IsAmong(column, values)


def are_among(columns: Sequence[InstrumentedAttribute[str]], name: str) -> ColumnElement[bool]:
    """The same of texts that belong together: the list is one of rows."""
    rows: BindParameter[Sequence[Any]] = bindparam(name, type_=_Rows())
    return _AreAmong(rows, *columns)


class _List(TypeDecorator[Sequence[Any]]):
    """PostgreSQL has arrays; SQLite reads JSON."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.item) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> list[Any] | str:
        values = list(value or ())
        return values if dialect.name == "postgresql" else json.dumps(values)


class _Rows(TypeDecorator[Sequence[Any]]):
    """Both read JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> str:  # noqa: ARG002 - SQLAlchemy's
        return json.dumps(list(value or ()))


class _Condition(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Self:  # noqa: ARG002 - SQLAlchemy's
        """SQLAlchemy would say `(… IN …) = 1` to SQLite, for which no index helps."""
        return self


class _IsAmong(_Condition):
    inherit_cache = True


class _AreAmong(_Condition):
    inherit_cache = True


@compiles(_IsAmong, "postgresql")
def _in_array(element: _IsAmong, compiler: SQLCompiler, **words: Any) -> str:
    column, values = (compiler.process(clause, **words) for clause in element.clauses)
    return f"{column} = ANY ({values})"


@compiles(_IsAmong, "sqlite")
def _in_json(element: _IsAmong, compiler: SQLCompiler, **words: Any) -> str:
    column, values = (compiler.process(clause, **words) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - they are SQLAlchemy's own words


@compiles(_AreAmong, "postgresql")
def _in_json_rows(element: _AreAmong, compiler: SQLCompiler, **words: Any) -> str:
    rows, *columns = (compiler.process(clause, **words) for clause in element.clauses)
    values = ", ".join(f"value ->> {number}" for number in range(len(columns)))
    return f"({', '.join(columns)}) IN (SELECT {values} FROM json_array_elements(CAST({rows} AS json)))"  # noqa: S608 - as above


@compiles(_AreAmong, "sqlite")
def _in_json_rows_of_sqlite(element: _AreAmong, compiler: SQLCompiler, **words: Any) -> str:
    rows, *columns = (compiler.process(clause, **words) for clause in element.clauses)
    values = ", ".join(f"json_extract(value, '$[{number}]')" for number in range(len(columns)))
    return f"({', '.join(columns)}) IN (SELECT {values} FROM json_each({rows}))"  # noqa: S608 - as above
