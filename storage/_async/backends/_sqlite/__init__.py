"""What `AsyncSqliteStore` is made of."""
