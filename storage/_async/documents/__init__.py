"""Documents: pairs of key and bytes under a UID, over any store."""
