"""What each backend promises beyond the contract that all of them pass."""
