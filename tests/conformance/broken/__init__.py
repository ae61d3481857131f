"""Stores that break one promise each, and the checks that have to notice.

`healthy` is what they all derive from: a store that keeps every promise.
"""
