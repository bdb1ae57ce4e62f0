"""The link between a request and its session, including the stored history.

A session id, once a client has sent or received it, stands for one conversation: only requests with that id read or
change it. A request without an id gets a new one, which its answer names: a checkpoint, which stands for the
conversation up to this answer, whatever other requests do later. The store joins such requests to one session by their
messages alone (`server.store.saving`).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from server.core.messages import Message, MessageFold, MessagesRequest
from server.core.records import Session
from server.core.stored_responses import FinishedResponse
from server.core.transcript import split_prefix
from server.store.saving import checked_session_id, new_session_id
from server.store.store import Store

if TYPE_CHECKING:
    from server.api.services import Services

_DROPPED_BLOCKS = frozenset({"thinking", "redacted_thinking"})


@dataclass(frozen=True, slots=True)
class SessionLink:
    """A request in its session.

    `request` holds the whole conversation and the session id. `explicit` means that the client sent the id; otherwise
    it was made for this request. `joined` means that the session's history was put before the request's messages.
    """

    session_id: str
    request: MessagesRequest
    explicit: bool
    joined: bool = False


def session_id_of(request: MessagesRequest, made_id: str | None = None) -> str:
    """The client's session id, otherwise `made_id` or a new one. Raises InvalidRequest."""
    if request.session_id is None:
        return made_id or new_session_id()
    return checked_session_id(request.session_id)


async def link_session(
    services: "Services", request: MessagesRequest, session_id: str | None = None, *, is_complete: bool = False
) -> SessionLink:
    """The request in its session.

    `session_id` is `session_id_of(request)`, if already known. With an explicit id, a client may send only its new
    messages, unless the request `is_complete`. Raises InvalidRequest for a malformed id.
    """
    session_id = session_id or session_id_of(request)
    explicit = request.session_id is not None
    whole = await _with_history(services, session_id, request) if explicit and not is_complete else request
    joined = len(whole.messages) > len(request.messages)
    return SessionLink(session_id, whole.with_changes(session_id=session_id), explicit, joined)


async def save_answer(
    store: Store, link: SessionLink, fold: MessageFold, *, client: str, response: FinishedResponse | None = None
) -> None:
    """Store the conversation with its answer, without thinking, and the answer under its own id as `response`."""
    answer = [block for block in fold.content if block.get("type") not in _DROPPED_BLOCKS]
    messages = list(link.request.messages)
    before, _ = split_prefix(messages)
    if answer:
        messages.append(Message(role="assistant", content=answer))
    await store.save_session(
        link.session_id,
        system=link.request.system,
        messages=messages,
        client=client,
        model=fold.message.get("model") or link.request.model,
        usage=fold.usage,
        explicit=link.explicit,
        prefix=len(before),
        response=response,
    )


async def _with_history(services: "Services", session_id: str, request: MessagesRequest) -> MessagesRequest:
    if not services.settings.history:
        return request
    session = await services.store.find_session(session_id)
    return request if session is None else join_history(session, request)


def join_history(session: Session, request: MessagesRequest) -> MessagesRequest:
    """The request after the session's history, if the client sent only new messages.

    A client that sends an assistant turn keeps the history itself, so its messages are the whole conversation. A
    system prompt in the request takes precedence over the stored one.
    """
    if any(message["role"] == "assistant" for message in request.messages):
        return request
    return request.with_changes(
        system=request.system or session.system, messages=(*session.messages, *request.messages)
    )
