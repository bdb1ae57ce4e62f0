"""`POST /v1/chat/completions`: https://platform.openai.com/docs/api-reference/chat/create."""

from fastapi import APIRouter

from server.api.exchange.exchange import Dialect, ExchangeEndpoint
from server.api.exchange.streams import OPENAI_SSE
from server.dialects.chat_completions import remote_images, to_messages, with_images

router = APIRouter()

_endpoint = ExchangeEndpoint(Dialect(to_messages, OPENAI_SSE, remote_images, with_images))
router.add_route("/v1/chat/completions", _endpoint, methods=["POST"])  # type: ignore[arg-type]  # an ASGI application
