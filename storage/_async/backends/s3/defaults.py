"""How patient a client of ours is, and the fast lane likewise."""

from __future__ import annotations

POOL = 64
"""Connections at once; botocore's default is 10."""
CONNECT_TIMEOUT = 10
"""Seconds that a connection may take to be made."""
READ_TIMEOUT = 30
"""Seconds that a server may be silent."""
ATTEMPTS = 5
"""How often a request is sent at most, the first time included."""
