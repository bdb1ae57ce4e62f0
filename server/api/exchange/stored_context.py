"""The stored part of a request: what it names by ids is read before it, and its answer is stored under an id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from server.api.exchange.conversation_locks import ConversationLock
from server.core.errors import DragomanError, InvalidRequest, NotFound, PreviousResponseNotFound
from server.core.stored_responses import FinishedResponse, Item
from server.dialects.base import Call, Context, Encoder
from server.dialects.dialect import Dialect
from server.dialects.stored_answers import References, StoredAnswers

if TYPE_CHECKING:
    from server.api.services import Services


@dataclass(slots=True)
class StoredContext:
    """A request's body with everything that it named.

    `is_complete` means that the body holds its whole conversation, so that no session's history belongs before it.
    `answer` is the response to be stored, without the answer so far; None if it is not stored. `lock` holds the
    conversation until `release`.
    """

    body: Any
    is_complete: bool = False
    conversation_id: str | None = None
    answer: FinishedResponse | None = None
    lock: ConversationLock | None = None
    _moved: int = 0
    _hooks: StoredAnswers | None = field(default=None)

    def translate(self, dialect: Dialect, context: Context) -> Call:
        """Translate the body. The paths of errors are those of the client's own body."""
        try:
            return dialect.to_messages(self.body, context)
        except InvalidRequest as error:
            if self._hooks is None or not self._moved:
                raise
            raise self._hooks.move_error(error, self._moved) from None

    def finish_answer(self, body: dict[str, Any], *, continuable: bool) -> FinishedResponse | None:
        """The response to be stored, from the complete response object."""
        if self.answer is None:
            return None
        return replace(self.answer, body=body, output=body["output"], continuable=continuable)

    def build_unfinished_body(
        self, encoder: Encoder, status: str, error: DragomanError | None = None
    ) -> dict[str, Any]:
        """The response object before the answer is complete, or of one that never will be."""
        if self._hooks is None:
            raise ValueError("the dialect stores no answers")
        return self._hooks.build_unfinished_body(encoder, status, error)

    def begin_saving(self) -> None:
        """Let the next request in the conversation wait instead of refusing it."""
        if self.lock is not None:
            self.lock.saving = True

    def release(self) -> None:
        """Let the next request have the conversation."""
        if self.lock is not None:
            self.lock.release()


async def read_stored_context(
    services: "Services", dialect: Dialect, body: Any, response_id: str, *, counted: bool = False
) -> StoredContext:
    """Read what the body names by ids.

    With `counted`, for a request whose tokens are only counted, nothing is locked or stored. Raises InvalidRequest for
    ids that exclude each other, PreviousResponseNotFound, ConversationLocked, and NotFound for other unknown ids.
    """
    hooks = dialect.stored_answers
    if hooks is None:
        return StoredContext(body)
    references = hooks.read_references(body)
    lock = None
    if references.conversation_id is not None and not counted:
        lock = await services.conversation_locks.acquire(references.conversation_id)
    try:
        context = await _read_context(services, hooks, body, references, response_id)
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    context.lock = lock
    return context


async def _read_context(
    services: "Services", hooks: StoredAnswers, body: Any, references: References, response_id: str
) -> StoredContext:
    stored = await _find_items(services, references.item_ids)
    items = hooks.read_input(body, stored)
    if items is None:
        return StoredContext(body)  # the translation refuses it
    answer = FinishedResponse(
        id=hooks.make_id(response_id), body={}, input=hooks.name_items(items, response_id, stored), output=()
    )
    history: Sequence[Item] = ()
    if references.previous_id is not None:
        history, chain = await _read_chain(services, references.previous_id)
        answer = replace(answer, history=history, chain=chain)
    elif (conversation_id := references.conversation_id) is not None:
        history, end = await _read_conversation(services, conversation_id)
        answer = replace(answer, history=history, conversation_id=conversation_id, history_end=end)
    is_kept = references.stored or references.conversation_id is not None
    return StoredContext(
        body=hooks.with_input(body, [*history, *items]) if history or stored else body,
        is_complete=references.previous_id is not None or references.conversation_id is not None,
        conversation_id=references.conversation_id,
        answer=replace(answer, fetchable=references.stored) if is_kept else None,
        _moved=len(history),
        _hooks=hooks,
    )


async def _find_items(services: "Services", ids: Sequence[str]) -> Mapping[str, Item]:
    stored = await services.answer_store.find_items(ids) if ids else {}
    for item_id in ids:
        if item_id not in stored:
            raise NotFound(
                f"Item with id {item_id!r} not found: it was not stored, has expired or was deleted.",
                hint="Send the item itself, or store responses: leave out 'store', or set it to true.",
            )
    return stored


async def _read_chain(services: "Services", response_id: str) -> tuple[Sequence[Item], Sequence[str]]:
    chain = await services.answer_store.find_chain(response_id)
    if chain is None:
        raise PreviousResponseNotFound(
            f"Previous response with id {response_id!r} not found: it was not stored, has expired or was deleted, or a"
            " response before it was.",
            param="previous_response_id",
            hint="Send the whole conversation as input, without previous_response_id.",
        )
    return chain.items, chain.ids


async def _read_conversation(services: "Services", conversation_id: str) -> tuple[Sequence[Item], int]:
    conversation = await services.answer_store.find_conversation(conversation_id)
    if conversation is None:
        raise conversation_not_found(conversation_id)
    return conversation.items, conversation.end


def conversation_not_found(conversation_id: str) -> NotFound:
    """The error for an unknown conversation."""
    return NotFound(
        f"Conversation with id {conversation_id!r} not found.",
        hint="It may have expired or been deleted; create one with POST /v1/conversations.",
    )
