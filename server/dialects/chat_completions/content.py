"""Content parts (https://platform.openai.com/docs/api-reference/chat/create) as Messages API blocks."""

from server.core.messages import Block, text_block
from server.dialects.chat_completions.fields import Field, shown
from server.dialects.chat_completions.media import Media, is_web_url, read_base64, read_data_url
from server.dialects.texts import without_blank_texts

USER_PARTS = ("text", "image_url", "file")
SYSTEM_PARTS = ("text",)
ASSISTANT_PARTS = ("text", "refusal")

_TEXT_TYPES = ("application/json", "application/xml", "application/x-yaml", "application/javascript")


def content_blocks(content: Field, allowed: tuple[str, ...]) -> list[Block]:
    """A message's `content` as blocks: a string, a list of parts of the `allowed` types, or null (no block).

    Empty texts are left out, since the Messages API refuses them. Raises `InvalidRequest`.
    """
    if content.missing:
        return []
    if isinstance(content.value, str):
        return without_blank_texts([text_block(content.value)])
    if not isinstance(content.value, list):
        raise content.wrong_type("a string or a list of content parts")
    return without_blank_texts([_block(part, allowed) for part in content.items()])


def _block(part: Field, allowed: tuple[str, ...]) -> Block:
    kind = part.member("type")
    if kind.string() == "input_audio":
        raise kind.refusal("is input_audio", "Claude does not take audio: send its transcript as text.")
    if kind.string() not in allowed:
        names = ", ".join(allowed)
        raise kind.refusal(f"is {shown(kind.value)}", f"In this message it must be one of: {names}.")
    match kind.string():
        case "image_url":
            return _image(part.member("image_url").member("url"))
        case "file":
            return _file(part.member("file"))
        case name:  # text and refusal hold their text under their own name
            return text_block(part.member(name).string())


def _image(url: Field) -> Block:
    if is_web_url(url.string()):
        raise url.refusal(
            "is a web address, and fetching images is switched off",
            "Send the image as a data URL, or switch on the setting `fetch_images`.",
        )
    return _image_block(read_data_url(url), url)


def _image_block(media: Media, field: Field) -> Block:
    if media.image_type is None:
        raise field.refusal("holds no image that Claude reads", "Its bytes must be a PNG, JPEG, GIF or WebP image.")
    return {
        "type": "image",
        "source": {"type": "base64", "media_type": media.image_type, "data": media.base64},
    }


def _file(file: Field) -> Block:
    if file.member("file_data").missing:
        if file.member("file_id").missing:
            raise file.member("file_data").wrong_type("a data URL")
        raise file.member("file_id").refusal(
            "names an uploaded file, and this server keeps none", "Send the file itself as `file_data`."
        )
    data = file.member("file_data")
    name = file.member("filename")
    title = {} if name.missing or not name.string() else {"title": name.string()}
    media = read_data_url(data) if data.string()[:5].lower() == "data:" else read_base64(data)
    if media.declared_type.startswith("image/") or media.image_type is not None:
        return _image_block(media, data)
    return {"type": "document", "source": _document_source(media, data), **title}


def _document_source(media: Media, field: Field) -> Block:
    if media.is_pdf:
        return {"type": "base64", "media_type": "application/pdf", "data": media.base64}
    if media.declared_type in ("", *_TEXT_TYPES) or media.declared_type.startswith("text/"):
        return {"type": "text", "media_type": "text/plain", "data": _text(media, field)}
    if media.declared_type == "application/pdf":
        raise field.refusal("holds no PDF", "Its bytes must begin with `%PDF-`.")
    raise field.refusal(
        f"holds a file of the type {shown(media.declared_type)} that Claude does not read",
        "Send a PDF, a text file or an image.",
    )


def _text(media: Media, field: Field) -> str:
    try:
        text = media.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise field.refusal("is neither a PDF nor text in UTF-8", "Send a PDF, or text in UTF-8.") from error
    if not text.strip():
        raise field.refusal("holds an empty text file", "Leave the file out.")
    return text
