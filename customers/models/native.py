"""SQL sent to PostgreSQL as prepared statements of libpq, with as little around it as can be.

A cursor of psycopg's spends more on a row found by its id than the database does. Here a
statement is named once, and then only its values go out and its rows come in.
"""

import re
from collections import OrderedDict
from functools import lru_cache

import orjson
import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.json import JsonbLoader

MOST_KNOWN = 300  # statements of one connection
USES = 3  # of a statement, until its plan is kept
FOUND, DONE = int(ExecStatus.TUPLES_OK), int(ExecStatus.COMMAND_OK)
PLACE = re.compile("%([s%])")
# What is asked for decides here by which way it is best found: the plan of one is bad for another.
PLANNED_EACH_TIME = re.compile("LIKE|@>")


class _JsonLoader(JsonbLoader):
    def load(self, data):
        return orjson.loads(data)


class Session:
    """What one psycopg `connection` has prepared. With `prepares` False that is nothing."""

    def __init__(self, connection, prepares):
        self.connection = connection
        self.prepares = prepares
        self.context = psycopg.Cursor(connection)  # of loaders unlike those of Django's cursors
        self.context.adapters.register_loader("timestamptz", TimestamptzLoader)
        self.context.adapters.register_loader("jsonb", _JsonLoader)
        self.writer = Transformer(self.context)
        self.known = OrderedDict()  # (SQL, types of its values): _Known
        self.named = 0

    def run(self, sql, params):
        """The rows, tuples, that `sql` with %s for each of `params`, a list, finds.

        Moments come as aware datetimes in UTC, JSON as what it says. Raises psycopg.Error.
        """
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
        if known.name:
            result = pgconn.exec_prepared(known.name, values, formats)
        else:
            result = pgconn.exec_params(_numbered(sql), values, writer.types, formats)
        if self._checked(result).status != FOUND:
            return []
        if known.reader is None or not known.name:
            known.reader = Transformer(self.context)
            known.reader.set_pgresult(result)
        else:
            known.reader.set_pgresult(result, set_loaders=False)
        return known.reader.load_rows(0, result.ntuples, tuple)

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
