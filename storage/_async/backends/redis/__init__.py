"""Objects on a server that speaks the protocol of Redis: Redis itself, Valkey and others."""
