"""Stores made of other stores, one file a family."""
