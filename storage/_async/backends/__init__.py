"""One file a medium; backends do not import each other."""
