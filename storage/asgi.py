"""A store as a web service: an ASGI application, and one object as an answer."""

from ._asgi.app import StoreApp
from ._asgi.objects import ObjectResponse, send_object

__all__ = ["ObjectResponse", "StoreApp", "send_object"]
