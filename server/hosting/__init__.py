"""Serving on an event loop: sockets, the HTTP server, and its start, stop and reconfiguration."""
