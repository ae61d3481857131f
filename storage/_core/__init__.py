"""The ground floor: errors, the contract, values and the two ways to run. No store lives here."""
