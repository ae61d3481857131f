"""Tests of `storage.asgi`."""
