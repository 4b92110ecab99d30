"""One outside library or service a module; adapters never import each other."""
