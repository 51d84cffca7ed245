"""An action that somebody may do, as the parts of the cloud that do actions see it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .identities import Principal
from .policies import Decision, decide, denied
from .services import Dialect

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    dialect: Dialect
    action: str
    parameters: Json
    principal: Principal

    def require(self, action: str, resource: str) -> None:
        """What an action needs beyond itself, as iam:PassRole. Raises Refused."""
        decision = decide(self.principal.statements, action, resource)
        if decision is not Decision.ALLOWED:
            raise denied(self.principal.arn, action, resource, decision, self.dialect)


Do = Callable[[Asked], Json]
Actions = Mapping[str, Do]  # by the action's name
