"""Content parts become blocks, or are refused with their path."""

import pytest

from tests.dialects.chat_completions.samples import (
    GIF,
    JPEG,
    PDF,
    PNG,
    WEBP,
    base64_of,
    data_url,
    file_part,
    image_block,
    image_part,
    refusal,
    text_part,
    translate,
)


def block_of(part):
    content = translate({"role": "user", "content": [text_part("see"), part]}).request.messages[0]["content"]
    assert content[0] == text_part("see")
    return content[1]


def part_refusal(part, role="user"):
    error = refusal({"role": "user", "content": "q"}, {"role": role, "content": [part]})
    assert error.param.startswith("messages[1].content[0]")
    return error


@pytest.mark.parametrize(
    ("content", "declared", "actual"),
    [
        (PNG, "image/png", "image/png"),
        (JPEG, "image/jpeg", "image/jpeg"),
        (JPEG, "image/jpg", "image/jpeg"),
        (GIF, "image/gif", "image/gif"),
        (WEBP, "image/webp", "image/webp"),
        (WEBP, "image/png", "image/webp"),
        (PNG, "", "image/png"),
        (PNG, "image/png;name=a.png", "image/png"),
    ],
)
def test_an_image_has_the_type_of_its_bytes(content, declared, actual):
    assert block_of(image_part(data_url(content, declared))) == image_block(content, actual)


def test_the_scheme_and_detail_do_not_matter():
    part = {"type": "image_url", "image_url": {"url": f"DATA:IMAGE/PNG;BASE64,{base64_of(PNG)}", "detail": "low"}}
    assert block_of(part) == image_block(PNG, "image/png")


@pytest.mark.parametrize(
    ("part", "document"),
    [
        (
            file_part(data_url(PDF, "application/pdf"), filename="a.pdf"),
            {
                "source": {"type": "base64", "media_type": "application/pdf", "data": base64_of(PDF)},
                "title": "a.pdf",
            },
        ),
        (
            file_part(base64_of(PDF)),
            {"source": {"type": "base64", "media_type": "application/pdf", "data": base64_of(PDF)}},
        ),
        (
            file_part(data_url("für".encode(), "text/plain"), filename=""),
            {"source": {"type": "text", "media_type": "text/plain", "data": "für"}},
        ),
        (
            file_part("data:text/csv;charset=utf-8,a%2Cb%0A1,2"),
            {"source": {"type": "text", "media_type": "text/plain", "data": "a,b\n1,2"}},
        ),
        (
            file_part(data_url(b"{}", "application/json")),
            {"source": {"type": "text", "media_type": "text/plain", "data": "{}"}},
        ),
    ],
)
def test_a_file_is_a_document(part, document):
    assert block_of(part) == {"type": "document", **document}


def test_a_file_that_is_an_image_is_an_image():
    assert block_of(file_part(data_url(PNG, "image/png"), filename="a.png")) == image_block(PNG, "image/png")


@pytest.mark.parametrize(
    ("part", "path", "words"),
    [
        ("hi", "", "an object"),
        ({}, ".type", "missing"),
        ({"type": "video"}, ".type", "'video'"),
        ({"type": "refusal", "refusal": "x"}, ".type", "'refusal'"),
        ({"type": "text"}, ".text", "missing"),
        ({"type": "text", "text": 1}, ".text", "a string"),
        ({"type": "input_audio", "input_audio": {}}, ".type", "input_audio"),
        ({"type": "image_url"}, ".image_url", "missing"),
        ({"type": "image_url", "image_url": "data:"}, ".image_url", "object"),
        ({"type": "image_url", "image_url": {}}, ".image_url.url", "missing"),
        (image_part("https://example.com/a.png"), ".image_url.url", "switched off"),
        (image_part("HTTP://example.com/a.png"), ".image_url.url", "switched off"),
        (image_part("file:///etc/passwd"), ".image_url.url", "not a data URL"),
        (image_part("data:image/png;base64"), ".image_url.url", "not a data URL"),
        (image_part("data:image/png;base64,"), ".image_url.url", "no data"),
        (image_part("data:image/png;base64,iVBO Rw0="), ".image_url.url", "damaged base64"),
        (image_part("data:image/png;base64,iVBORw0"), ".image_url.url", "damaged base64"),
        (image_part("data:image/png;base64,ü"), ".image_url.url", "damaged base64"),
        (image_part(data_url(b"<svg/>", "image/svg+xml")), ".image_url.url", "no image that Claude reads"),
        (image_part(data_url(PDF, "image/png")), ".image_url.url", "no image that Claude reads"),
        ({"type": "file"}, ".file", "missing"),
        ({"type": "file", "file": {}}, ".file.file_data", "missing"),
        ({"type": "file", "file": {"file_id": "file-1"}}, ".file.file_id", "keeps none"),
        (file_part(PDF.decode()), ".file.file_data", "damaged base64"),
        (file_part(data_url(b"hello", "application/pdf")), ".file.file_data", "no PDF"),
        (file_part(data_url(b"PK\3\4", "application/zip")), ".file.file_data", "'application/zip'"),
        (file_part(data_url(b"\xff\xfe", "text/plain")), ".file.file_data", "UTF-8"),
        (file_part(data_url(b" \n", "text/plain")), ".file.file_data", "empty"),
        (file_part(data_url(PDF, "application/pdf"), filename=1), ".file.filename", "a string"),
    ],
)
def test_refused_with_the_path_of_the_field(part, path, words):
    error = part_refusal(part)
    assert error.param == f"messages[1].content[0]{path}"
    assert words in str(error)
    assert error.hint


def test_a_web_address_names_the_setting_that_allows_it():
    assert "`fetch_images`" in part_refusal(image_part("https://example.com/a.png")).hint


@pytest.mark.parametrize("role", ["system", "developer", "assistant"])
def test_only_users_and_tools_show_images(role):
    assert "'image_url'" in part_refusal(image_part(data_url(PNG, "image/png")), role).message
