"""Ollama's own API: `POST /api/chat` and `POST /api/generate`.

Protocol: `docs/api.md`, `api/types.go` and `server/routes.go` of https://github.com/ollama/ollama.

    body ─┬▶ loading.py  a request that only loads or unloads a model: the response
          └▶ request.py ─┬▶ body.py        validation; images.py: pictures
                         ├▶ turns.py       messages -> system prompt and user/assistant turns
                         ├▶ options.py     `options`, `format` and `think`
                         └▶ completion.py  a text to complete at a cursor
    stream events ─▶ encoder.py ─▶ lines of JSON, or the answer
    descriptions.py  the entries of `/api/tags`, `/api/ps` and `/api/show`; greeting.py: the answer to `GET /`
"""
