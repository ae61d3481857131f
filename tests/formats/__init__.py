"""Handlers of values."""
