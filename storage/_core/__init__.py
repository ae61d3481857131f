"""The foundations of the toolkit: standard library and anyio only, no I/O but the event loop."""
