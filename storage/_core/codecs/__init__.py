"""Bytes in another form, piece by piece: compressed, as text, sealed."""
