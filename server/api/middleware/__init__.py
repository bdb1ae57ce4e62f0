"""The layers before the endpoints: guards, limits, errors and the records of refused requests."""
