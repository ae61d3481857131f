"""Objects as files on an SSH server."""
