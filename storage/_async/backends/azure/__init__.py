"""Azure Blob Storage, by its REST API."""
