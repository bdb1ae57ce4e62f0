"""The rules of a client key, applied to its requests: default model and effort, allowed models, preset system text."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from server.api.exchange.preparation import find_model_info, make_context
from server.core.errors import ModelNotAllowed, ModelNotFound
from server.core.messages import MessagesRequest
from server.models.aliases import DEFAULT, resolve_model
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
    """The request with the key's effort, if it asks for none. Raises ModelNotAllowed."""
    if key is None:
        return request
    refuse_other_models(services, key, request.requested_model, request.model)
    thinks = request.thinking is None or request.thinking.get("type") != "disabled"
    if key.effort is not None and request.effort is None and thinks:
        return request.with_changes(effort=key.effort)
    return request


def with_preset(request: MessagesRequest, key: ClientKey | None) -> MessagesRequest:
    """The request with the key's system text, for the backend alone.

    It is not part of the session: stored with it, it would be added again at each turn.
    """
    if key is None or not key.system.strip():
        return request
    parts = (key.system, *request.system) if key.system_position == "prepend" else (*request.system, key.system)
    return request.with_changes(system=parts)


def refuse_other_models(services: "Services", key: ClientKey, name: str, target: str) -> None:
    """Raise ModelNotAllowed unless the key may use the model `target`, which the client calls `name`."""
    if not is_allowed(services, key, target):
        allowed = ", ".join(key.models)
        raise ModelNotAllowed(
            f"The client key '{key.name}' may not use the model '{name}'.",
            allowed=key.models,
            hint=f"It may use: {allowed}. The owner of this server changes that in Settings, under Access.",
        )


def is_allowed(services: "Services", key: ClientKey, target: str) -> bool:
    """Whether the key may use a model, given by the backend's name. Aliases and the long context are the same model."""
    return not key.models or _identify(services, target) in _allowed_ids(services, key.models)


def _allowed_ids(services: "Services", names: Iterable[str]) -> set[str]:
    context, ids = make_context(services), set[str]()
    for name in names:
        try:
            ids.add(_identify(services, resolve_model(name, context)))
        except ModelNotFound:  # the model or alias has gone; it allows nothing
            continue
    return ids


def _identify(services: "Services", target: str) -> str:
    info = find_model_info(services.backend, target)
    return info.id if info is not None and info.id else target.removesuffix("[1m]")
