"""Key-value stores with the semantics of minimalkv, over any store of this package."""
