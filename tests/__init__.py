"""The tests. Each folder is a package, so that any of them may import what another one shares."""
