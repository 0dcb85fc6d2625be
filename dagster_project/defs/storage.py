"""Dagster's storage in SQLite, with one connection to the events of a run instead of one for each event.

A load has some nine hundred events. Dagster opens and closes a connection five times for each of them, which took a third of a
small load's time (docs/performance.md). What is stored, and where, is Dagster's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage, _event_logs_directory
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, StaticPool, create_engine


class KeptOpenStorage(DagsterSqliteStorage):
    """Runs, events and schedules in SQLite; named by dagster.yaml."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = KeptOpenEventLog(_event_logs_directory(base_dir))

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> KeptOpenStorage:
        """Dagster's own would make its own class."""
        return cls.from_local(inst_data=inst_data, **config_value)


class KeptOpenEventLog(SqliteEventLogStorage):
    """Events in SQLite, through a connection per database that stays open."""

    def __init__(self, base_dir: str) -> None:
        self._engines: dict[str, Engine] = {}
        self._has_table: dict[str, bool] = {}
        super().__init__(base_dir)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        # The lock is Dagster's; whoever holds it has the connection alone.
        with self._db_lock:
            if shard not in self._engines:
                self._engines[shard] = create_engine(
                    self.conn_string_for_shard(shard),
                    poolclass=StaticPool,
                    connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
                )
                self._initdb(self._engines[shard])
            with self._engines[shard].begin() as connection:
                yield connection

    def has_table(self, table_name: str) -> bool:
        """Whether the table is there; it does not go away again."""
        if not self._has_table.get(table_name):
            self._has_table[table_name] = super().has_table(table_name)
        return self._has_table[table_name]

    def wipe(self) -> None:
        """Delete all events, and with them the files of the runs."""
        self._close()
        super().wipe()

    def dispose(self) -> None:
        """Close what was kept open."""
        self._close()
        super().dispose()

    def _close(self) -> None:
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()
