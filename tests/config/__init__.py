"""Stores described in files and URLs."""
