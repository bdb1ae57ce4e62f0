"""`POST /v1/chat/completions`: https://platform.openai.com/docs/api-reference/chat/create."""

from fastapi import APIRouter

from server.api.exchange import Dialect, ExchangeEndpoint
from server.api.streams import OPENAI_SSE
from server.dialects.chat_completions import remote_images, to_messages, with_images

router = APIRouter()

_endpoint = ExchangeEndpoint(Dialect(to_messages, OPENAI_SSE, remote_images, with_images))

# Without /v1 too: clients differ in whether they put it into the base URL.
for _path in ("/v1/chat/completions", "/chat/completions"):
    router.add_route(_path, _endpoint, methods=["POST"])  # type: ignore[arg-type]  # an ASGI application, which Route takes
