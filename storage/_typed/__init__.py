"""AutoStore's world, over any store of this package."""
