"""A tree of files on a server: what backends of several protocols have in common."""
