"""Objects behind HTTP servers, read-only."""
