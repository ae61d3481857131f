"""One object from one store to another, on the cheapest way, verified."""

from .copier import WHOLE, Copier
from .resumable import UploadMemory

__all__ = ["WHOLE", "Copier", "UploadMemory"]
