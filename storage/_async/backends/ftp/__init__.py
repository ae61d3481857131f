"""Objects as files on an FTP server."""
