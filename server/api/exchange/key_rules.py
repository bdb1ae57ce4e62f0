"""The rules of a client key, applied to its requests: default model and effort, allowed models, preset system text."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from server.api.exchange.preparation import make_context
from server.core.errors import ModelNotAllowed, ModelNotFound
from server.core.messages import MessagesRequest, ModelChoice
from server.models.aliases import DEFAULT, resolve_model
from server.models.info import find_info
from server.secrets.client_keys import ClientKey

if TYPE_CHECKING:
    from server.api.services import Services


def with_default_model(body: dict[str, Any], key: ClientKey | None) -> dict[str, Any]:
    """The body with the key's model, if it names none or `default`."""
    if key is None or not key.model:
        return body
    model = body.get("model")
    if model is None or (isinstance(model, str) and model.strip().lower().removesuffix(":latest") in ("", DEFAULT)):
        return {**body, "model": key.model}
    return body


def apply_key_rules(services: "Services", request: MessagesRequest, key: ClientKey | None) -> MessagesRequest:
    """The request with the key's effort where it asks for none. Raises ModelNotAllowed."""
    if key is None:
        return request
    choices = (ModelChoice(request.model, request.effort, request.thinking, request.by_api), *request.alternatives)
    refuse_other_models(services, key, request.requested_model, choices)
    first, *others = (_with_effort(choice, key) for choice in choices)
    return request.with_choice(first).with_changes(alternatives=tuple(others))


def _with_effort(choice: ModelChoice, key: ClientKey) -> ModelChoice:
    thinks = choice.thinking is None or choice.thinking.get("type") != "disabled"
    return replace(choice, effort=key.effort) if choice.effort is None and thinks else choice


def with_preset(request: MessagesRequest, key: ClientKey | None) -> MessagesRequest:
    """The request with the key's system text, for the backend alone.

    It is not part of the session: stored with it, it would be added again at each turn.
    """
    if key is None or not key.system.strip():
        return request
    parts = (key.system, *request.system) if key.system_position == "prepend" else (*request.system, key.system)
    return request.with_changes(system=parts)


def refuse_other_models(services: "Services", key: ClientKey, name: str, choices: Sequence[ModelChoice]) -> None:
    """Raise ModelNotAllowed unless the key may use all models that the client calls `name`."""
    if not is_allowed(services, key, choices):
        allowed = ", ".join(key.models)
        raise ModelNotAllowed(
            f"The client key '{key.name}' may not use the model '{name}'.",
            allowed=key.models,
            hint=f"It may use: {allowed}. The owner of this server changes that in Settings, under Access.",
        )


def is_allowed(services: "Services", key: ClientKey, choices: Iterable[ModelChoice]) -> bool:
    """Whether the key may use all these models. Aliases and the long context are the same model; `api:` is another."""
    return not key.models or {_identify(services, choice) for choice in choices} <= _allowed_ids(services, key.models)


_Identity = tuple[str, bool]
"""A model's id, and whether the Anthropic API serves it."""


def _allowed_ids(services: "Services", names: Iterable[str]) -> set[_Identity]:
    context, ids = make_context(services), set[_Identity]()
    for name in names:
        try:
            ids |= {_identify(services, choice) for choice in resolve_model(name, context).choices}
        except ModelNotFound:  # the model or alias has gone; it allows nothing
            continue
    return ids


def _identify(services: "Services", choice: ModelChoice) -> _Identity:
    info = find_info(choice.model, services.backend.models())
    model = info.id if info is not None and info.id else choice.model.removesuffix("[1m]")
    return model, choice.by_api
