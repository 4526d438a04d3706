"""What PostgreSQL keeps beside the tables so that lists stay fast; other databases do without.

Why not django.contrib.postgres: its migrations fail on other databases and where a privilege is
missing, and it keeps no numbers of rows. On 100,000 customers a list of those with a part of an
address costs 2 ms, by a service without these indexes 124, and one with its count 1 ms, counted by
hand 8: `python -m deploy.checks benchmark`, W4a and W2. Taken out, the same is answered by reading
every row.

They are declared among a model's `indexes`, so migrations make and drop them. None needs
more than the owner of the tables may do, and where one cannot be made a notice says so: then
the same questions are answered by reading more rows.
"""

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

ROW_COUNTS = "tallies"  # the table of row counts, see RowCountTriggers

# New entries wait in a list that every search reads; 4 MB of it, the default, take milliseconds.
PENDING = "WITH (gin_pending_list_limit = 256)"  # kB

CANNOT = """insufficient_privilege OR undefined_file OR undefined_object OR undefined_function
    OR feature_not_supported OR invalid_schema_name"""


def by_each(*names: str) -> list[models.Index]:
    """An index for each of the columns: a list of one mode, filtered by it or in its order."""
    return [models.Index(fields=["mode", name, "id"]) for name in names]


class _PostgresqlOnly(models.Index):
    """An index that is made by a block of its own, and by nothing on other databases."""

    def create_sql(  # type: ignore[override]  # a text is run as well as a Statement
        self,
        model: type[models.Model],
        schema_editor: BaseDatabaseSchemaEditor,
        using: str = "",
        **options: Any,
    ) -> str:
        if schema_editor.connection.vendor != "postgresql":
            return "SELECT 1"
        return self.made(model._meta.db_table)

    def remove_sql(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, **options: Any
    ) -> str:
        if schema_editor.connection.vendor != "postgresql":
            return "SELECT 1"
        return self.dropped(model._meta.db_table)

    def made(self, table: str) -> str:
        raise NotImplementedError

    def dropped(self, table: str) -> str:
        raise NotImplementedError


class TrigramIndex(_PostgresqlOnly):
    """Finds a part of the text of its one field, in upper or lower case (pg_trgm, a trusted
    extension: whoever may create in the database may add it)."""

    def made(self, table: str) -> str:
        return f"""
DO $made$ BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE INDEX {self.name} ON {table} USING gin ({self.fields[0]} gin_trgm_ops)
    {PENDING};
EXCEPTION WHEN {CANNOT} THEN
  RAISE WARNING 'Searching {table} by a part of {self.fields[0]} will read every row: %', SQLERRM;
END $made$;
"""

    def dropped(self, table: str) -> str:
        return f"DROP INDEX IF EXISTS {self.name};"


def has_trigrams(model: type[models.Model], path: str) -> bool:
    """Whether a part of the text at `path` of `model`, a column or key__column, has an index."""
    *keys, column = path.split("__")
    for key in keys:
        related = model._meta.get_field(key).related_model
        if related is None:  # below a column there is none
            return False
        model = related
    return any(
        index.fields == [column] for index in model._meta.indexes if isinstance(index, TrigramIndex)
    )


class JsonContainmentIndex(_PostgresqlOnly):
    """Finds JSON objects that contain another one, in its one field."""

    def made(self, table: str) -> str:
        columns = f"{self.fields[0]} jsonb_path_ops"
        return f"CREATE INDEX {self.name} ON {table} USING gin ({columns}) {PENDING};"

    def dropped(self, table: str) -> str:
        return f"DROP INDEX IF EXISTS {self.name};"


class RowCountTriggers(_PostgresqlOnly):
    """Keeps the number of the table's rows by mode, and by a second field where one is named.

    Triggers write each change of a number as a row into `tallies`, in the transaction of the
    change: a sum over these is exact in every snapshot, and no writer waits for another.
    One writer in a hundred adds them up. An empty tally, such as where triggers could not be
    made, means nothing is known; a known table has at least a row of 0.
    """

    def made(self, table: str) -> str:
        value = self.fields[1] if len(self.fields) > 1 else "''::text"
        function = f"{ROW_COUNTS}_of_{table}"
        write = f"INSERT INTO {ROW_COUNTS} (resource_type, mode, value, change)"
        moved = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in self.fields)
        old, new = (f"{row}.{value}" if len(self.fields) > 1 else value for row in ("OLD", "NEW"))
        return f"""
CREATE TABLE IF NOT EXISTS {ROW_COUNTS} (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  resource_type text NOT NULL, mode text NOT NULL, value text NOT NULL, change bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS {ROW_COUNTS}_of_type ON {ROW_COUNTS} (resource_type);
DO $made$ BEGIN
  CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN
    IF TG_OP = 'INSERT' THEN
      {write} SELECT '{table}', mode, {value}, count(*) FROM came GROUP BY mode, {value};
    ELSIF TG_OP = 'DELETE' THEN
      {write} SELECT '{table}', mode, {value}, -count(*) FROM went GROUP BY mode, {value};
    ELSIF TG_OP = 'UPDATE' THEN
      {write} VALUES ('{table}', OLD.mode, {old}, -1), ('{table}', NEW.mode, {new}, 1);
    ELSE
      DELETE FROM {ROW_COUNTS} WHERE resource_type = '{table}';
      {write} VALUES ('{table}', '', '', 0);
    END IF;
    IF random() < 0.01 THEN
      WITH summed AS (
        DELETE FROM {ROW_COUNTS} WHERE id IN (
          SELECT id FROM {ROW_COUNTS} WHERE resource_type = '{table}' FOR UPDATE SKIP LOCKED
        ) RETURNING mode, value, change
      )
      {write} SELECT '{table}', mode, value, sum(change) FROM summed GROUP BY mode, value;
    END IF;
    RETURN NULL;
  END $body$;
  CREATE TRIGGER {function}_came AFTER INSERT ON {table} REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION {function}();
  CREATE TRIGGER {function}_went AFTER DELETE ON {table} REFERENCING OLD TABLE AS went
    FOR EACH STATEMENT EXECUTE FUNCTION {function}();
  CREATE TRIGGER {function}_moved AFTER UPDATE OF {", ".join(self.fields)} ON {table}
    FOR EACH ROW WHEN ({moved}) EXECUTE FUNCTION {function}();
  CREATE TRIGGER {function}_emptied AFTER TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION {function}();
  {write} SELECT '{table}', mode, {value}, count(*) FROM {table} GROUP BY mode, {value};
  {write} VALUES ('{table}', '', '', 0);
EXCEPTION WHEN {CANNOT} THEN
  RAISE WARNING 'The rows of {table} will be counted each time: %', SQLERRM;
END $made$;
"""  # noqa: S608 names of our own

    def dropped(self, table: str) -> str:
        function = f"{ROW_COUNTS}_of_{table}"
        return f"""
DROP FUNCTION IF EXISTS {function}() CASCADE;
DELETE FROM {ROW_COUNTS} WHERE resource_type = '{table}';
"""  # noqa: S608 names of our own
