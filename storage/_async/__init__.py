"""The stores themselves, hand-written for asyncio; the blocking layer is generated from here."""
