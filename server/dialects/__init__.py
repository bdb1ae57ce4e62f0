"""Translation between the clients' APIs and the core format, without I/O."""
