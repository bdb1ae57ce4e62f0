"""HTTP only: endpoints, guards and the walk of a request. What the bodies mean is `server.dialects`' affair."""
