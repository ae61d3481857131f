"""Every store of this package, put to the conformance kit."""
