"""Names what can go wrong in the service, with the HTTP status and the sentence a person sees."""

from __future__ import annotations


class ServiceError(Exception):
    """Everything the service raises on purpose; rooms derive their own from these.

    ServiceError
    ├── InvalidInput     422  what came in cannot be used; ``where`` names the field
    ├── UnknownSession   401  the session token is missing, forged or too old
    ├── NotSignedIn      401  nobody of the staff is signed in, or name and password do not fit
    ├── Forbidden        403  the role of who is signed in does not allow it
    ├── NotFound         404  no such thing, or it is not this session's
    ├── Conflict         409  it contradicts what is already stored
    ├── TooLarge         413  the body is over the limit
    ├── TooManyRequests  429  this session or address sends too fast
    ├── Overloaded       503  the service as a whole has too much waiting
    └── StartFailed      500  the service cannot start here; for the command line, never sent

    ``message`` is shown to people (Chinese); ``where`` is the field, header or path it is about,
    empty when it is about the whole request; ``retry_after_s`` is sent as ``Retry-After``.
    """

    status = 500
    code = "internal"

    def __init__(self, message: str, where: str = "", retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.retry_after_s = retry_after_s

    def body(self) -> dict[str, dict[str, str]]:
        """The JSON body of every error response."""
        return {"error": {"code": self.code, "message": self.message, "where": self.where}}


class InvalidInput(ServiceError):
    status = 422
    code = "invalid_input"


class UnknownSession(ServiceError):
    status = 401
    code = "unknown_session"


class NotSignedIn(ServiceError):
    status = 401
    code = "not_signed_in"


class Forbidden(ServiceError):
    status = 403
    code = "forbidden"


class NotFound(ServiceError):
    status = 404
    code = "not_found"


class Conflict(ServiceError):
    status = 409
    code = "conflict"


class TooLarge(ServiceError):
    status = 413
    code = "too_large"


class TooManyRequests(ServiceError):
    status = 429
    code = "too_many_requests"


class Overloaded(ServiceError):
    status = 503
    code = "overloaded"


class StartFailed(ServiceError):
    code = "start_failed"
