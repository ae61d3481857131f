"""Object storage for asyncio, and blocking for scripts: one protocol, many stores."""
