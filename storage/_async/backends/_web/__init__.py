"""What the backends that speak HTTP share: connections, and when a request is sent again."""
