"""Signs and reads the tokens that tell one web session from another."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from fastapi import Request
from itsdangerous import BadSignature, TimestampSigner

from service.errors import UnknownSession

_MAX_TOKEN_CHARS = 200


@dataclass(frozen=True)
class WebSession:
    """``conversation_id`` is the key everything is stored under; the browser keeps ``token``."""

    conversation_id: str
    token: str


class SessionTokens:
    """Tokens are ``<conversation id>.<time>.<signature>``; nothing is stored for them."""

    def __init__(self, secret: str, days: int) -> None:
        self._signer = TimestampSigner(secret, salt="qifu.web-session")
        self._max_age_s = days * 86_400

    def issue(self) -> WebSession:
        """A fresh session with a random id that cannot be guessed."""
        return self.sign(f"web-{secrets.token_urlsafe(16)}")

    def sign(self, conversation_id: str) -> WebSession:
        """The session of a conversation whose id is known (the command line names its own)."""
        return WebSession(conversation_id, self._signer.sign(conversation_id).decode("ascii"))

    def read(self, token: str) -> WebSession:
        """The session of a token. ``UnknownSession`` when it was not signed here or is too old."""
        try:
            if len(token) > _MAX_TOKEN_CHARS:
                raise BadSignature("too long")
            value = self._signer.unsign(token.encode("ascii"), max_age=self._max_age_s)
        except (BadSignature, UnicodeEncodeError) as error:
            raise UnknownSession("会话已失效，请刷新页面后重新开始。", "session") from error
        return WebSession(value.decode("ascii"), token)


def session_of(request: Request, session: str) -> WebSession:
    """A FastAPI dependency: the web session whose token is the query parameter ``session``.

    ``UnknownSession`` when the token is not one of ours.
    """
    tokens: SessionTokens = request.app.state.tokens
    return tokens.read(session)
