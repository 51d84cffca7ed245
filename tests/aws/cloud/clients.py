"""botocore's clients. What AWS publishes of its services is read once: that takes as long as a
test."""

from collections.abc import Mapping
from typing import Any

from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session

LOADER = Loader()
_ONCE = Config(retries={"total_max_attempts": 1})


def client(service: str, region: str, endpoint: str, account: Mapping[str, str]) -> Any:
    """One that asks once; `account` is the environment of whom it speaks for."""
    session = Session()
    session.register_component("data_loader", LOADER)
    make: Any = session.create_client
    return make(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=account["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=account["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=account.get("AWS_SESSION_TOKEN"),
        config=_ONCE,
    )
