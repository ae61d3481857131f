"""Objects over HTTP: what `storage.asgi` is made of."""
