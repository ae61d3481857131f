"""Stores described in files; `storage.config_builder` is the way in."""
