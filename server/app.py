"""The web application: routers, guards and error handlers."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from server.api.endpoints import health, models, requests, sessions
from server.api.endpoints.conversations import make_conversation_router
from server.api.endpoints.dialects import make_dialect_router
from server.api.endpoints.responses import make_response_router
from server.api.middleware.authentication import Authentication
from server.api.middleware.bodies import BodyLimit
from server.api.middleware.content_encoding import ContentDecoding
from server.api.middleware.failures import Failures, on_http_exception, on_invalid_query
from server.api.middleware.headers import HeaderLimit
from server.api.middleware.origins import HostAllowlist, Origins
from server.api.middleware.paths import CanonicalPaths
from server.api.middleware.rate_limit import RateLimit
from server.api.middleware.refusals import Refusals
from server.api.middleware.request_ids import RequestIds
from server.api.services import Services
from server.config.settings import Settings
from server.dialects import registry

GUARD_SETTINGS = (
    "host", "allowed_hosts", "allowed_origins", "api_key_required", "rate_limit", "max_header_bytes", "max_body_bytes",
)  # fmt: skip
"""The settings from which the guards are built. All others are read at each request."""


def create_app(services: Services) -> FastAPI:
    """Create the application over `services`, which the caller starts and stops."""
    app = FastAPI(
        title="Dragoman",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # Clients that do not resend the body after a redirect would fail without a reason.
        redirect_slashes=False,
        middleware=_build_guards(services),
        exception_handlers={HTTPException: on_http_exception, RequestValidationError: on_invalid_query},
    )
    app.state.services = services
    for dialect in registry.DIALECTS:
        app.include_router(make_dialect_router(dialect))
        if (hooks := dialect.stored_answers) is not None:
            app.include_router(make_response_router(dialect, hooks))
            app.include_router(make_conversation_router(hooks))
    for family in (models, health, sessions, requests):
        app.include_router(family.router)
    return app


def guards_differ(one: Settings, other: Settings) -> bool:
    """Whether the guards differ, so that the application must be recreated."""
    return any(getattr(one, name) != getattr(other, name) for name in GUARD_SETTINGS)


def _build_guards(services: Services) -> list[Middleware]:
    """Build the layers around the endpoints, outermost first.

    Failures is inside Origins, so that pages of an allowed origin can read the errors too.
    """
    settings = services.settings
    return [
        Middleware(CanonicalPaths),
        Middleware(RequestIds),
        Middleware(Refusals, services=services),
        Middleware(HeaderLimit, limit=settings.max_header_bytes),
        Middleware(HostAllowlist, host=settings.host, allowed_hosts=settings.allowed_hosts),
        Middleware(Origins, allowed_origins=settings.allowed_origins),
        Middleware(Failures),
        Middleware(Authentication, keys=services.key_store if settings.api_key_required else None),
        Middleware(RateLimit, limits=services.request_limits),
        Middleware(BodyLimit, limit=settings.max_body_bytes, stall_seconds=services.body_stall_seconds),
        Middleware(ContentDecoding, limit=settings.max_body_bytes),
    ]
