"""Buckets and containers of cloud services: what the backends of several of them share."""
