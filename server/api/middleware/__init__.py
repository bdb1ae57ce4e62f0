"""The ASGI layers around the endpoints: guards, limits, errors and records of refused requests."""
