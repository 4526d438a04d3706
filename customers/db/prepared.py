"""SQL sent to PostgreSQL as prepared statements of libpq, with as little around it as can be.

A cursor of psycopg's spends more on a row found by its id than the database does. Here a
statement is named once, and then only its values go out and its rows come in.
"""

import re
import select
from collections import OrderedDict
from functools import lru_cache

import orjson
import psycopg
from psycopg import capabilities
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.json import JsonbLoader

MOST_KNOWN = 300  # statements of one connection
USES = 3  # of a statement, until its plan is kept
FOUND, DONE = int(ExecStatus.TUPLES_OK), int(ExecStatus.COMMAND_OK)
SOME = {ExecStatus.SINGLE_TUPLE, ExecStatus.TUPLES_CHUNK}
CHUNK = 10  # rows that come together where their bytes are counted
PLACE = re.compile("%([s%])")
# What is asked for decides here by which way it is best found: the plan of one is bad for another.
PLANNED_EACH_TIME = re.compile("LIKE|@>")


class _JsonLoader(JsonbLoader):
    def load(self, data):
        return orjson.loads(data)


def _measuring():
    """A _JsonLoader that counts the `bytes` of what it reads."""

    class Measuring(_JsonLoader):
        bytes = 0

        def load(self, data):
            Measuring.bytes += len(data)
            return orjson.loads(data)

    return Measuring


class Session:
    """What one psycopg `connection` has prepared. With `prepares` False that is nothing."""

    def __init__(self, connection, prepares):
        self.connection = connection
        self.prepares = prepares
        self.context = psycopg.Cursor(connection)  # of loaders unlike those of Django's cursors
        self.context.adapters.register_loader("timestamptz", TimestamptzLoader)
        self.context.adapters.register_loader("jsonb", _JsonLoader)
        self.measured, self.measuring = psycopg.Cursor(connection), _measuring()
        self.measured.adapters.register_loader("timestamptz", TimestamptzLoader)
        self.measured.adapters.register_loader("jsonb", self.measuring)
        self.writer = Transformer(self.context)
        self.known = OrderedDict()  # (SQL, types of its values): _Known
        self.named = 0

    def run(self, sql, params):
        """The rows, tuples, that `sql` with %s for each of `params`, a list, finds.

        Moments come as aware datetimes in UTC, JSON as what it says. Raises psycopg.Error.
        """
        known, *sent = self._prepared(sql, params)
        pgconn = self.connection.pgconn
        if known.name:
            values, _, formats = sent
            result = pgconn.exec_prepared(known.name, values, formats)
        else:
            result = pgconn.exec_params(_numbered(sql), *sent)
        if self._checked(result).status != FOUND:
            return []
        if known.reader is None or not known.name:
            known.reader = Transformer(self.context)
            known.reader.set_pgresult(result)
        else:
            known.reader.set_pgresult(result, set_loaders=False)
        return known.reader.load_rows(0, result.ntuples, tuple)

    def run_within(self, sql, params, budget, places):
        """As `run`, of rows that come a few at a time, as long as `budget`, a ByteBudget, lasts.

        `places` are those of texts to be counted; JSON is counted anyway. Raises
        TooManyBytesError, when the server has been told to stop; within a transaction, which
        that would end, what else comes is passed over.
        """
        known, *sent = self._prepared(sql, params)
        pgconn = self.connection.pgconn
        is_alone = pgconn.transaction_status == TransactionStatus.IDLE
        if known.name:
            values, _, formats = sent
            pgconn.send_query_prepared(known.name, values, formats)
        else:
            pgconn.send_query_params(_numbered(sql), *sent)
        if capabilities.has_stream_chunked():
            pgconn.set_chunked_rows_mode(CHUNK)
        else:
            pgconn.set_single_row_mode()
        try:
            return self._read_within(budget, places)
        except BaseException:
            if is_alone and pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.connection.cancel_safe()
            while self._next_result() is not None:
                """What came before the server stopped is of no use."""
            raise

    def _read_within(self, budget, places):
        found, reader, failed = [], None, None
        while (result := self._next_result()) is not None:
            if result.status not in SOME:
                failed = failed or (None if result.status == FOUND else result)
                continue
            if reader is None:
                reader = Transformer(self.measured)
                reader.set_pgresult(result)
            else:
                reader.set_pgresult(result, set_loaders=False)
            self.measuring.bytes = 0
            rows = reader.load_rows(0, result.ntuples, tuple)
            budget.left -= self.measuring.bytes
            budget.spend(rows, places)
            found += rows
        if failed is not None:
            self._checked(failed)
        return found

    def _next_result(self):
        """The next result of what was sent, None after the last; others run while it waits."""
        pgconn, waiting = self.connection.pgconn, select.poll()
        while pgconn.flush():
            waiting.register(pgconn.socket, select.POLLIN | select.POLLOUT)
            if any(event & select.POLLIN for _, event in waiting.poll()):
                pgconn.consume_input()
        waiting.register(pgconn.socket, select.POLLIN)
        while pgconn.is_busy():
            waiting.poll()
            pgconn.consume_input()
        return pgconn.get_result()

    def _prepared(self, sql, params):
        """A _Known for `sql`, prepared where it is worth it; and the values, types and formats."""
        pgconn, writer = self.connection.pgconn, self.writer
        if not self.connection.autocommit and pgconn.transaction_status == TransactionStatus.IDLE:
            self._checked(pgconn.exec_(b"BEGIN"))
        values = writer.dump_sequence(params, [PyFormat.AUTO] * len(params))
        key, formats = (sql, writer.types), writer.formats
        known = self.known.get(key)
        if known is None:
            keeps = self.prepares and not PLANNED_EACH_TIME.search(sql)
            known = self.known[key] = _Known(keeps)
            self._forget_the_oldest()
        self.known.move_to_end(key)
        known.uses += 1
        if known.keeps and known.name is None and known.uses >= USES:
            self.named += 1
            name = f"clientele_{self.named}".encode()
            self._checked(pgconn.prepare(name, _numbered(sql), writer.types))
            known.name = name
        return known, values, writer.types, formats

    def _checked(self, result):
        if result.status == FOUND or result.status == DONE:
            return result
        if self.connection.pgconn.status == ConnStatus.BAD:
            raise psycopg.OperationalError(result.get_error_message())
        raise error_from_result(result)

    def _forget_the_oldest(self):
        if len(self.known) > MOST_KNOWN:
            _, known = self.known.popitem(last=False)
            if known.name:
                self._checked(self.connection.pgconn.exec_(b"DEALLOCATE " + known.name))


class _Known:
    """How often a statement was used, whether its plan may be kept, under which name if it is
    already, and what reads its rows."""

    __slots__ = ("keeps", "name", "reader", "uses")

    def __init__(self, keeps):
        self.keeps, self.uses, self.name, self.reader = keeps, 0, None, None


@lru_cache(maxsize=1000)
def _numbered(sql):
    """`sql` in bytes, with $1, $2 … for %s, and % for %%."""
    numbers = iter(range(1, 65536))
    return PLACE.sub(lambda found: f"${next(numbers)}" if found[1] == "s" else "%", sql).encode()
