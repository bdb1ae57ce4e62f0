"""The ASGI layers around the endpoints: guards, limits, errors, refusals."""
