"""What people may write about an AWS account; nothing is read, resolved or reached here."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0, le=600)]


class Connector(BaseModel):
    """One region of one account, and as whom we go there.

    Without a credential and a profile: as whoever the worker itself is to AWS (environment, shared
    files, the role of its task, pod or instance). A credential is written as AWS's own credentials
    file is, see access.py. `role`: the ARN of a role that is then assumed. `endpoint`: of something
    that speaks as AWS does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    profile: Annotated[str, Field(min_length=1, max_length=250)] | None = None
    role: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$")] | None = None
    endpoint: Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=300)] | None = None
    connect_timeout: Seconds = 5
    request_timeout: Seconds = 20
