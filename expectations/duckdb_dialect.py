"""A SQLAlchemy dialect for DuckDB with just what Great Expectations needs; nothing else may use it.

Why it exists: Great Expectations 1.24 returns a query's result *after* it has given the connection back
(`SqlAlchemyExecutionEngine.execute_query`), and the stock `duckdb_engine` fetches lazily, so every expectation
ends in an error (great_expectations#11579, #10738). Here a cursor reads all rows at `execute`. It also

* works on a connection that this process already holds (a second one to a file in use is refused by DuckDB),
  or opens a file read-only and closes it when the audit is over, not when Python collects the garbage;
* runs nothing but single SELECTs: an audit cannot create a temporary table or change what it judges;
* takes the data out of error messages where they arise, before a library can log them.

When it can go: once Great Expectations speaks DuckDB itself (its PR #12084) or reads its results before the
connection is given back. `test_the_dialect_is_still_needed` fails on the day of the latter. `duckdb_engine`
is not a dependency, so no test can try it; the tests hold fast the properties above instead.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, cast

import duckdb
import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.engine import default, interfaces
from sqlalchemy.sql import compiler
from typing_extensions import override

NAME = "uppklarat_duckdb"

_lent: dict[str, duckdb.DuckDBPyConnection] = {}

# The messages of these are about names and grammar; every other one may quote a value of the data.
_ABOUT_THE_STATEMENT = (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException)

_TYPES: dict[str, type[sa.types.TypeEngine[Any]]] = {
    "BIGINT": sa.BIGINT,
    "BLOB": sa.BLOB,
    "BOOLEAN": sa.BOOLEAN,
    "DATE": sa.DATE,
    "DECIMAL": sa.DECIMAL,
    "DOUBLE": sa.DOUBLE,
    "FLOAT": sa.FLOAT,
    "INTEGER": sa.INTEGER,
    "SMALLINT": sa.SMALLINT,
    "TIME": sa.TIME,
    "TIMESTAMP": sa.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": sa.TIMESTAMP,
    "UUID": sa.UUID,
    "VARCHAR": sa.VARCHAR,
}


@contextmanager
def lend(source: duckdb.DuckDBPyConnection | str | Path) -> Iterator[str]:
    """Give a URL of this dialect under which `source` can be reached until the block ends.

    Args:
        source: A connection, which stays open, or the path of a database file, which is opened read-only. What runs
            on a lent connection runs in the lender's transaction and ends a result that it has not fetched yet.
    """
    if not isinstance(source, duckdb.DuckDBPyConnection):
        with duckdb.connect(str(source), read_only=True) as own, lend(own) as url:
            yield url
        return
    token = uuid.uuid4().hex
    _lent[token] = source
    try:
        yield f"{NAME}://{token}"
    finally:
        del _lent[token]


@contextmanager
def _errors_without_data() -> Iterator[None]:
    """Pass DuckDB's errors on with as much of their message as cannot contain a value of the data."""
    try:
        yield
    except duckdb.Error as error:
        message = f"{type(error).__name__} (message withheld: it may quote the data)"
        if isinstance(error, _ABOUT_THE_STATEMENT):
            message = re.sub(r"'[^']*'", "'…'", str(error).strip().splitlines()[0])
        raise type(error)(message) from None


class Cursor:
    """A DB-API cursor that holds all rows of its statement once `execute` returns."""

    arraysize = 1
    lastrowid = None

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: Iterator[tuple[Any, ...]] = iter(())
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run one SELECT and read its rows; refuse anything else."""
        held = self._connection.held()
        with _errors_without_data():
            parsed = held.extract_statements(statement)
        if [one.type for one in parsed] != [duckdb.StatementType.SELECT]:
            raise duckdb.NotSupportedError("an audit runs single SELECT statements only")
        with _errors_without_data():
            result = held.execute(parsed[0], list(parameters))
            rows = result.fetchall()
        self.description, self._rows, self.rowcount = result.description, iter(rows), len(rows)

    def executemany(self, *_: Any) -> None:
        """Refused: there is nothing to write."""
        raise duckdb.NotSupportedError("an audit runs single SELECT statements only")

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, if there is one."""
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """The next rows, at most `size`."""
        return list(islice(self._rows, self.arraysize if size is None else size))

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows that are left."""
        return list(self._rows)

    def close(self) -> None:
        """Nothing to do. The rows stay readable: that is the point of this file."""


class Connection:
    """A DB-API connection that borrows; opening, transactions and closing are the lender's."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.held()

    def held(self) -> duckdb.DuckDBPyConnection:
        """The lent connection, as long as it is lent."""
        try:
            return _lent[self._token]
        except KeyError:
            raise duckdb.OperationalError("the connection is not lent any more") from None

    def cursor(self) -> Cursor:
        """A cursor of its own."""
        return Cursor(self)

    def commit(self) -> None:
        """Nothing to do: only SELECTs run, and a transaction is the lender's."""

    def rollback(self) -> None:
        """Nothing to do, as above."""

    def close(self) -> None:
        """Nothing to do: the lender closes."""


class _Preparer(compiler.IdentifierPreparer):
    """Quotes names; a dot in a schema's name separates an attached database from its schema."""

    @override
    def quote_schema(self, schema: str, force: Any = None) -> str:
        return ".".join(self.quote(part) for part in schema.split("."))


class UppklaratDuckDBDialect(default.DefaultDialect):
    """Standard SQL plus the one reflection that Great Expectations asks for."""

    name = NAME
    driver = NAME
    default_paramstyle = "qmark"
    default_schema_name = "main"
    poolclass = sa.NullPool  # a borrowed connection costs nothing
    preparer = _Preparer
    supports_native_boolean = True
    supports_native_decimal = True
    supports_statement_cache = True

    @override
    @classmethod
    def import_dbapi(cls) -> interfaces.DBAPIModule:
        """The DB-API module for the sake of its errors; `connect` below replaces its connections."""
        return cast(interfaces.DBAPIModule, duckdb)

    @override
    def create_connect_args(self, url: sa.URL) -> interfaces.ConnectArgsType:
        """The token stands where a URL has its host."""
        return [url.host or ""], {}

    @override
    def connect(self, *cargs: Any, **cparams: Any) -> interfaces.DBAPIConnection:
        """Hand out the connection that is lent under the token."""
        return cast(interfaces.DBAPIConnection, Connection(cargs[0]))

    @override
    def initialize(self, connection: sa.Connection) -> None:
        """Skip the probing queries of the base class: all they ask is declared above."""

    @override
    def get_columns(self, connection: sa.Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        """Columns of a table or view in any schema or attached database, resolved as in a query."""
        relation = self.identifier_preparer.format_table(sa.table(table_name, schema=schema))
        found = connection.exec_driver_sql(f"select column_name, column_type from (describe {relation})")
        return [{"name": name, "type": _type(kind)(), "nullable": True, "default": None} for name, kind in found]


def _type(kind: str) -> type[sa.types.TypeEngine[Any]]:
    """SQLAlchemy's type for DuckDB's name of it; lists, structs and the like have none."""
    plain = re.sub(r"\(\d+,\d+\)$", "", kind)
    return _TYPES.get(plain, sa.types.NullType)


registry.register(NAME, __name__, UppklaratDuckDBDialect.__name__)
