"""Fills an empty database: customers with groups, tags, orders and addresses, all in SQL."""

from collections.abc import Callable
from typing import Any

import psycopg

COMMON = "mode, metadata, created_at, updated_at"
DATED = "'live', '{{}}', now() - ({count} - i) * interval '1 second', now()"

TABLES = {
    "customer_groups": (
        f"INSERT INTO customer_groups (id, name, code, {COMMON}) "
        f"SELECT 'g' || lpad(i::text, 15, '0'), 'Group ' || i, 'group-' || i, {DATED} "
        "FROM generate_series(0, 49) i"
    ),
    "tags": (
        f"INSERT INTO tags (id, name, {COMMON}) "
        f"SELECT 't' || lpad(i::text, 15, '0'), 'tag-' || i, {DATED} "
        "FROM generate_series(0, 199) i"
    ),
    "customers": (
        "INSERT INTO customers (id, email, email_key, status, total_orders_count,"
        f" shopper_reference, profile_id, customer_group_id, {COMMON}) "
        "SELECT 'c' || lpad(i::text, 15, '0'), email, email,"
        " (ARRAY['prospect', 'acquired', 'repeat'])[1 + i % 3], i % 3, md5(i::text),"
        f" md5('p' || i), 'g' || lpad((i % 50)::text, 15, '0'), {DATED} "
        "FROM generate_series(0, {count} - 1) i,"
        " LATERAL (SELECT CASE WHEN i BETWEEN 400 AND 499 THEN 'lovelace.' ELSE 'customer.' END"
        " || lpad(i::text, 7, '0') || '@shop' || i % 997"
        " || '.example.com' AS email) e"
    ),
    "customers_tags": (
        "INSERT INTO customers_tags (customer_id, tag_id) "
        "SELECT 'c' || lpad(i::text, 15, '0'), 't' || lpad(((i + n * 7) % 200)::text, 15, '0') "
        "FROM generate_series(0, {count} - 1) i, generate_series(0, i % 2) n"
    ),
    "orders": (
        "INSERT INTO orders (id, number, status, payment_status, fulfillment_status, guest,"
        " language_code, currency_code, total_amount_cents, placed_at, customer_id,"
        f" {COMMON}) "
        "SELECT 'o' || lpad(i::text, 15, '0'), 'N' || i, 'placed', 'paid', 'fulfilled', false,"
        " 'en', 'EUR', 100 + i % 10000, now() - interval '1 day',"
        f" 'c' || lpad((i / 3)::text, 15, '0'), {DATED} "
        "FROM generate_series(0, 3 * {count} - 1) i"
    ),
    "addresses": (
        "INSERT INTO addresses (id, business, first_name, last_name, line_1, city, zip_code,"
        f" country_code, phone, {COMMON}) "
        "SELECT 'a' || lpad(i::text, 15, '0'), false, 'Ada', 'Nr' || i, i || ' Main Street',"
        f" 'Springfield', '12345', 'US', '+1 555 0100', {DATED} "
        "FROM generate_series(0, 12 * {count} / 10 - 1) i"
    ),
    "customer_addresses": (
        f"INSERT INTO customer_addresses (id, customer_id, address_id, {COMMON}) "
        "SELECT 'k' || lpad(i::text, 15, '0'), 'c' || lpad((i % {count})::text, 15, '0'),"
        f" 'a' || lpad(i::text, 15, '0'), {DATED} "
        "FROM generate_series(0, 12 * {count} / 10 - 1) i"
    ),
}


def fill(url: str, count: int, progress: Callable[[str], None]) -> None:
    """Put `count` customers, a number from 10,000 on, into the migrated database at `url`.

    Indexes are made after the rows. `progress` is called with the name of each step.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        execute = connection.execute
        execute("SET session_replication_role = replica")  # no checks of keys row by row
        execute("SET maintenance_work_mem = '512MB'")
        execute("SET synchronous_commit = off")
        for table, sql in TABLES.items():
            progress(table)
            indexes = _loose_indexes(connection, table)
            for name, _ in indexes:
                execute(f'DROP INDEX "{name}"')
            execute(sql.format(count=count))
            for _, definition in indexes:
                execute(definition)
            _tally(connection, table)
        progress("vacuum")
        execute("VACUUM ANALYZE")
        execute("CHECKPOINT")


def _loose_indexes(connection: psycopg.Connection, table: str) -> list[tuple[Any, ...]]:
    """The indexes of `table` that hold no constraint: pairs of name and definition."""
    return connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT IN"
        " (SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass)",
        [table, table],
    ).fetchall()


def _tally(connection: psycopg.Connection, table: str) -> None:
    """Let the trigger that was off count the rows, from 0."""
    value = {"customers": "status", "orders": "status"}.get(table, "''::text")
    known = "SELECT FROM tallies WHERE resource_type = %s"
    if connection.execute(known, [table]).fetchone() is not None:
        connection.execute(
            "INSERT INTO tallies (resource_type, mode, value, change) SELECT"
            f" '{table}', mode, {value}, count(*) FROM {table} GROUP BY mode, {value}"
        )
