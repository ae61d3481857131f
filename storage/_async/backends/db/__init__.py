"""Objects in a SQLite file."""
