"""Asking AWS, and telling it: at a pace all workers share, errors told apart by what helps."""

import random
import time
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from rollbacks.platforms import turns
from rollbacks.platforms.aws import access
from rollbacks.platforms.aws.limits import limit_of
from rollbacks.platforms.aws.settings import Connector
from rollbacks.platforms.base import Control, PlatformError, TargetRef

WRITE_ATTEMPTS = 6
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
SERVER_FAULT = 500
# Nothing has happened, and it may be asked again: later.
_THROTTLED = (
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
)
# Something is under way there that will be over.
_BUSY = (
    "ConcurrentUpdateException",
    "ResourceContention",
    "ScalingActivityInProgress",
    "UpdateInProgressException",
)
_ENDED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
_NEXT = ("NextToken", "nextToken", "NextMarker", "Marker")


class Refused(PlatformError):
    """AWS said no; `code` is its own word for why."""

    def __init__(self, message: str, code: str, *, permanent: bool) -> None:
        super().__init__(message, permanent=permanent)
        self.code = code


class Lost(PlatformError):
    """No answer to a change came: it may or may not have happened. Look before telling it again."""


class Api:
    """One account and region, as a target's connector says; services and operations as boto3
    spells them."""

    def __init__(self, target: TargetRef) -> None:
        self._target = target
        self._connector = Connector.model_validate(dict(target.connector))

    @cached_property
    def caller(self) -> str:
        """Our own ARN. Raises PlatformError."""
        try:
            found: str = access.reading(self._target, "sts").get_caller_identity()["Arn"]
        except ClientError as error:
            raise self._refused(error) from None
        except BotoCoreError as error:
            raise _unanswered("GetCallerIdentity", error) from None
        return found

    def arn(self, service: str, resource: str) -> str:
        """Of something in the connector's account and region. Raises PlatformError."""
        _, partition, _, _, account, _ = self.caller.split(":", 5)
        return f"arn:{partition}:{service}:{self._connector.region}:{account}:{resource}"

    @property
    def role(self) -> str | None:
        """The ARN of the role that the connector names."""
        return self._connector.role

    def read(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """What the operation answers. Raises PlatformError."""
        self._take_turn(service, operation)
        try:
            client = access.reading(self._target, service)
            found: dict[str, Any] = getattr(client, operation)(**parameters)
        except ClientError as error:
            raise self._refused(error) from None
        except BotoCoreError as error:
            raise _unanswered(operation, error) from None
        return found

    def pages(
        self, service: str, operation: str, key: str, /, **parameters: Any
    ) -> Iterator[dict[str, Any]]:
        """Every item under `key` of all pages. Raises PlatformError."""
        client = access.reading(self._target, service)
        if not client.can_paginate(operation):
            yield from self.read(service, operation, **parameters)[key]
            return
        pages = iter(client.get_paginator(operation).paginate(**parameters))
        has_more = True
        while has_more:
            self._take_turn(service, operation)
            try:
                page = next(pages)
            except ClientError as error:
                raise self._refused(error) from None
            except BotoCoreError as error:
                raise _unanswered(operation, error) from None
            yield from page[key]
            has_more = any(page.get(name) for name in _NEXT)

    def write(
        self, control: Control, service: str, operation: str, /, **parameters: Any
    ) -> dict[str, Any]:
        """Change something. Raises PlatformError; Lost where it may have happened all the same."""
        client = access.writing(self._target, service)
        for attempt in range(WRITE_ATTEMPTS):
            self._take_turn(service, operation)
            control.checkpoint()
            try:
                found: dict[str, Any] = getattr(client, operation)(**parameters)
            except ClientError as error:
                if _code(error) not in _THROTTLED or attempt == WRITE_ATTEMPTS - 1:
                    raise self._refused(error, is_write=True) from None
                longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0**attempt)
                time.sleep(random.uniform(0, longest))  # noqa: S311
            except ParamValidationError:
                raise _unsendable(operation) from None
            except BotoCoreError as error:
                raise Lost(f"AWS gave no answer to {operation}: {error}") from None
            else:
                return found
        raise AssertionError("the last attempt returns or raises")

    def _take_turn(self, service: str, operation: str) -> None:
        """Wait until all workers together may ask for one more of these."""
        pace, limit = self._target.pace, limit_of(service, operation)
        if pace is None:
            return
        account = self.caller.split(":")[4]
        bucket = f"aws/{account}/{self._connector.region}/{service}/{limit.name}"
        turns.take(pace, bucket, limit.rate, limit.burst, f"{operation} of AWS")

    def _refused(self, error: ClientError, *, is_write: bool = False) -> PlatformError:
        said, name = error.response["Error"], error.operation_name
        code, message = _code(error), str(said.get("Message", "")).rstrip(".")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        if code in _ENDED and access.is_assumed(self._target):
            access.forget()
            return Refused(f"The session in the role has ended: {message}", code, permanent=False)
        if code in _THROTTLED or code in _BUSY:
            return Refused(f"AWS is busy with {name}: {message} ({code})", code, permanent=False)
        if status >= SERVER_FAULT:
            kind = Lost if is_write else PlatformError
            return kind(f"AWS is ill and did not say what became of {name}: {message} ({code})")
        return Refused(f"AWS refuses {name}: {message} ({code})", code, permanent=True)


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code", ""))


def _unsendable(operation: str) -> PlatformError:
    """Says nothing of the values, which may be secret."""
    return PlatformError(
        f"{operation} was not sent: botocore finds its parameters wrong. Check the texts and "
        "numbers of the infrastructure definition and the workflow.",
        permanent=True,
    )


def _unanswered(operation: str, error: BotoCoreError) -> PlatformError:
    if isinstance(error, ParamValidationError):
        return _unsendable(operation)
    return PlatformError(f"AWS gave no answer to {operation}: {error}")
