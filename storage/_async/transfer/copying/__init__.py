"""One object from one store to another, on the cheapest way, verified."""

from .copier import WHOLE, Copier
from .errand import Copied
from .resumable import UploadMemory

__all__ = ["WHOLE", "Copied", "Copier", "UploadMemory"]
