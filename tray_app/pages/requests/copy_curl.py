"""The curl command of a request, for the clipboard."""

from server.core.records import RequestRecord
from tray_app.context import Context
from tray_app.models.requests.curl import as_curl


async def build_curl(context: Context, record: RequestRecord) -> str:
    """The request as a curl command with the logged headers and body. Raises DatabaseUnusable."""
    whole = await context.store.get_request(record.id) if context.store is not None else None
    url = context.server.base_url.removesuffix("/v1")
    return as_curl(whole or record, url, key_required=context.settings.api_key_required)
