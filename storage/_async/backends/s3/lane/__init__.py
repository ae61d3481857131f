"""The fast lane: the frequent operations, signed and sent without the client.

`transport` is what a way of sending requests looks like, and knows nothing of S3.
"""
