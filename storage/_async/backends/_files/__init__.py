"""What the stores on files share: blocking functions, and the store class built on them."""
