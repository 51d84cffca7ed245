"""What AWS answers when it does not do what it was asked."""


class Refused(Exception):
    """An error as a client sees it: its code, its message and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> Refused:
    """ECS's word for a parameter, or a combination of them, that it does not take."""
    return Refused("InvalidParameterException", message)


def client_error(message: str) -> Refused:
    """ECS's word for anything that is the client's own mistake."""
    return Refused("ClientException", message)


def not_modelled(what: str) -> Refused:
    """No client tries this again: the counterpart does not know, and does not pretend to."""
    return Refused("NotModelled", f"The tests' cloud does not model {what}.", 501)
