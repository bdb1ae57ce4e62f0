"""Ollama's own API: `POST /api/chat` and `POST /api/generate`.

Protocol: `docs/api.md`, `api/types.go` and `server/routes.go` of https://github.com/ollama/ollama.

    body ─▶ request.py ─┬▶ body.py     validation; images.py: pictures
                        ├▶ turns.py    messages -> system prompt and user/assistant turns
                        ├▶ options.py  `options`, `format` and `think`
                        └▶ loading.py  requests that only load or unload a model
    stream events ─▶ encoder.py ─▶ lines of JSON, or the answer
    descriptions.py   the entries of `/api/tags`, `/api/ps` and `/api/show`
"""
