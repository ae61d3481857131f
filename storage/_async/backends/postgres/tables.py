"""The tables, and all that is said to them: names are checked and quoted, values are bound.

An object of up to `INLINE` bytes is one row. A larger one has its bytes in a second table, in rows
of `CHUNK` bytes, which are kept by its etag: every write has an etag of its own, so they never
change. A trigger removes them with the object's row or when that gets another etag. What is being
uploaded has a row in a third table.
"""

from __future__ import annotations

import re

from ...._core.errors import ConfigError

INLINE = 1024 * 1024
"""Bytes up to which an object is one row."""
CHUNK = 256 * 1024
"""Bytes of a row of a larger one. A part of what the tables mean: it never changes."""
PAGE = 1000
"""Rows that a listing reads at a time."""
FOREVER = 1 << 62

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,47}")
_COLUMNS = "key, etag, size, modified, content_type, metadata, data"
_REPLACE = """ON CONFLICT (key) DO UPDATE SET etag = excluded.etag, size = excluded.size,
 modified = excluded.modified, content_type = excluded.content_type,
 metadata = excluded.metadata, data = excluded.data"""
_KEEP = "ON CONFLICT (key) DO NOTHING"


def quoted(name: str, what: str) -> str:
    """A name as SQL takes it.

    Raises:
        ConfigError: It is none that needs no more thought.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{what} has at most 48 letters, digits and underscores, and begins with no digit: "
            f"it cannot be {name!r}"
        )
    return f'"{name}"'


class Tables:
    """The statements for the tables of one store.

    Args:
        table: The name of the table of objects; those of the others begin with it.
        schema: Where they are; None: where the connection looks first.
    """

    def __init__(self, table: str, schema: str | None) -> None:
        quoted(table, "a table's name")
        place = "" if schema is None else quoted(schema, "a schema's name") + "."
        objects = f'{place}"{table}"'
        chunks = f'{place}"{table}_chunks"'
        uploads = f'{place}"{table}_uploads"'
        self.fields = fields = "o.etag, o.size, o.modified, o.content_type, o.metadata"

        self.create = f"""
CREATE TABLE IF NOT EXISTS {objects} (
    key text COLLATE "C" PRIMARY KEY,
    etag text NOT NULL,
    size bigint NOT NULL,
    modified timestamptz NOT NULL,
    content_type text,
    metadata text,
    data bytea);
CREATE TABLE IF NOT EXISTS {chunks} (
    etag text COLLATE "C", number bigint, data bytea NOT NULL, PRIMARY KEY (etag, number));
CREATE TABLE IF NOT EXISTS {uploads} (
    etag text COLLATE "C" PRIMARY KEY, touched timestamptz NOT NULL);
ALTER TABLE {objects} ALTER data SET STORAGE EXTERNAL;
ALTER TABLE {chunks} ALTER data SET STORAGE EXTERNAL;
CREATE OR REPLACE FUNCTION {place}"{table}_forget"() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    EXECUTE format('DELETE FROM %I.%I WHERE etag = $1', TG_TABLE_SCHEMA, TG_TABLE_NAME || '_chunks')
    USING OLD.etag;
    RETURN NULL;
END $body$;
CREATE OR REPLACE TRIGGER "{table}_replaced" AFTER UPDATE ON {objects} FOR EACH ROW
    WHEN (OLD.data IS NULL AND OLD.etag <> NEW.etag)
    EXECUTE FUNCTION {place}"{table}_forget"();
CREATE OR REPLACE TRIGGER "{table}_deleted" AFTER DELETE ON {objects} FOR EACH ROW
    WHEN (OLD.data IS NULL)
    EXECUTE FUNCTION {place}"{table}_forget"();
"""

        # -- reading: key, start, end, how much at most, an etag without interest
        self.read = f"""
SELECT {fields}, CASE WHEN o.data IS NULL THEN c.data
    ELSE substring(o.data FROM low::int + 1 FOR (high - low)::int) END
FROM {objects} o
CROSS JOIN LATERAL (SELECT CASE WHEN $2::bigint < 0 THEN greatest(o.size + $2, 0)
    ELSE least($2, o.size) END AS low) l
CROSS JOIN LATERAL (SELECT greatest(low, least($3::bigint, o.size,
    low + CASE WHEN o.etag = $5::text THEN 0 ELSE $4::bigint END)) AS high) h
LEFT JOIN {chunks} c ON o.data IS NULL AND c.etag = o.etag
    AND c.number >= low / {CHUNK} AND c.number < (high + {CHUNK - 1}) / {CHUNK} AND low < high
WHERE o.key = $1 ORDER BY c.number"""
        self.go_on = f"""
SELECT data FROM {chunks} WHERE etag = $1 AND number >= $2 AND number < $3 ORDER BY number"""
        self.head = f"SELECT {fields}, o.data IS NULL FROM {objects} o WHERE key = $1"
        self.exists = f"SELECT 1 FROM {objects} WHERE key = $1"
        self.get_many = f"""
SELECT key, CASE WHEN size <= $2 THEN data END FROM {objects} WHERE key = ANY($1::text[])"""

        # -- writing: key, etag, size, modified, content type, metadata, data
        values = "$1, $2, $3, coalesce($4::timestamptz, clock_timestamp()), $5, $6, $7"
        insert = f"INSERT INTO {objects} AS o ({_COLUMNS})"
        self.put = f"{insert} VALUES ({values}) {_REPLACE} RETURNING modified"
        self.put_absent = f"{insert} VALUES ({values}) {_KEEP} RETURNING modified"
        self.put_match = f"""
UPDATE {objects} SET etag = $2, size = $3, modified = coalesce($4::timestamptz, clock_timestamp()),
    content_type = $5, metadata = $6, data = $7
WHERE key = $1 AND etag = $8 RETURNING modified"""
        self.put_many = f"""
INSERT INTO {objects} AS o (key, etag, size, modified, data)
SELECT k, e, octet_length(d), clock_timestamp(), d
FROM unnest($1::text[], $2::text[], $3::bytea[]) AS u(k, e, d) {_REPLACE}"""
        copied = f"""
{insert} SELECT $2::text, $3::text, size, clock_timestamp(), content_type, metadata, data
FROM {objects} WHERE key = $1 AND data IS NOT NULL"""
        self.copy = f"{copied} {_REPLACE} RETURNING {fields}"
        self.copy_absent = f"{copied} {_KEEP} RETURNING {fields}"
        self.rename = f"UPDATE {objects} o SET key = $2 WHERE key = $1 RETURNING {fields}"
        self.delete = f"DELETE FROM {objects} WHERE key = $1 RETURNING 1"
        self.delete_match = f"DELETE FROM {objects} WHERE key = $1 AND etag = $2 RETURNING 1"
        self.delete_many = f"DELETE FROM {objects} WHERE key = ANY($1::text[]) RETURNING key"

        # -- uploads: etag, number of the first chunk, bytes
        touch = f"""
WITH alive AS (INSERT INTO {uploads} VALUES ($1, now())
    ON CONFLICT (etag) DO UPDATE SET touched = now())
INSERT INTO {chunks} (etag, number, data)"""
        self.add = f"""
{touch} SELECT $1, $2::bigint + n, substring($3::bytea FROM n * {CHUNK} + 1 FOR {CHUNK})
FROM generate_series(0, (octet_length($3::bytea) - 1) / {CHUNK}) n ON CONFLICT DO NOTHING"""
        self.add_copied = f"""
{touch} SELECT $1, number, data FROM {chunks} WHERE etag = $2 AND number >= $3 AND number < $4
ON CONFLICT DO NOTHING"""
        self.end_upload = f"DELETE FROM {uploads} WHERE etag = $1 RETURNING 1"
        self.uploaded = f"""
SELECT coalesce(sum(octet_length(data)), 0)::bigint FROM {chunks} WHERE etag = $1"""
        self.drop_upload = f"""
WITH it AS (DELETE FROM {uploads} WHERE etag = $1 RETURNING etag)
DELETE FROM {chunks} c USING it WHERE c.etag = it.etag"""
        self.sweep = f"""
WITH old AS (DELETE FROM {uploads} WHERE touched < now() - make_interval(secs => $1)
        RETURNING etag),
    gone AS (DELETE FROM {chunks} c USING old WHERE c.etag = old.etag)
SELECT count(*) FROM old"""

        # -- listing: from this key on, up to that one
        below = " AND key < $2"
        rest = f"FROM {objects} o WHERE key >= $1"
        order = f"ORDER BY key LIMIT {PAGE}"
        self.keys = f"SELECT key {rest} {order}"
        self.keys_below = f"SELECT key {rest}{below} {order}"
        self.list = f"SELECT key, {fields} {rest} {order}"
        self.list_below = f"SELECT key, {fields} {rest}{below} {order}"
