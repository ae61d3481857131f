"""Objects in a PostgreSQL database."""
