"""The HTTP side: guards, endpoints and the path of a request."""
