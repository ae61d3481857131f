"""Values of any form over any store of bytes: what awaits."""
