"""Which session a request belongs to, and what of that session goes before its messages."""

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from server.messages import Message, MessageFold, MessagesRequest
from server.store.saving import checked_session_id
from server.store.types import Session
from server.transcript import digest, split_prefix

if TYPE_CHECKING:
    from server.services import Services

_NOT_KEPT = frozenset({"thinking", "redacted_thinking"})


@dataclass(frozen=True, slots=True)
class SessionLink:
    """A request with its session: `request` holds the whole conversation, and the session's id."""

    session_id: str
    request: MessagesRequest
    continues: str | None = None
    """The digest of the prefix by which the session was found."""


async def link_session(services: "Services", request: MessagesRequest) -> SessionLink:
    """Find the request's session: by its explicit id, by its exact prefix, else a new one.

    With an explicit id, a client may send only what is new.
    Raises InvalidRequest for an id that cannot be one.
    """
    explicit = request.session_id
    if explicit is not None:
        checked_session_id(explicit)
        request = await _with_history(services, explicit, request)
        return SessionLink(explicit, request.with_changes(session_id=explicit))
    prefix, _ = split_prefix(request.messages)
    found = None
    if prefix and services.settings.history:
        found = await services.store.match_session(request.system, prefix)
    session_id = found or f"ses_{uuid.uuid4().hex}"
    continues = digest(request.system, prefix) if found else None
    return SessionLink(session_id, request.with_changes(session_id=session_id), continues)


async def save_answer(services: "Services", link: SessionLink, fold: MessageFold, *, client: str) -> None:
    """Keep the conversation with its answer, without the thinking, which no later request needs.

    A session that was found by its prefix is named by that: if another request has gone on from there meanwhile,
    the store makes a session of its own of this one.
    """
    answer = [block for block in fold.content if block.get("type") not in _NOT_KEPT]
    messages = list(link.request.messages)
    if answer:
        messages.append(Message(role="assistant", content=answer))
    await services.store.save_session(
        None if link.continues else link.session_id,
        system=link.request.system,
        messages=messages,
        client=client,
        model=fold.message.get("model") or link.request.model,
        usage=fold.usage,
        prefix_digest=link.continues,
    )


async def _with_history(services: "Services", session_id: str, request: MessagesRequest) -> MessagesRequest:
    if not services.settings.history:
        return request
    session = await services.store.find_session(session_id)
    return request if session is None else join_history(session, request)


def join_history(session: Session, request: MessagesRequest) -> MessagesRequest:
    """The request after the session's history, if the client sent only what is new.

    A client that sends an assistant turn keeps the history itself: what it sent is then the conversation. Its own
    system prompt, if it sent one, takes the place of the stored one.
    """
    if any(message["role"] == "assistant" for message in request.messages):
        return request
    return request.with_changes(
        system=request.system or session.system, messages=(*session.messages, *request.messages)
    )
