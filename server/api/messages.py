"""`POST /v1/messages`."""

from fastapi import APIRouter

router = APIRouter()
