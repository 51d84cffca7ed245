"""What principals may do: statements of identity-based policies, and how AWS words a refusal.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from .refusals import Refused
from .services import Dialect


class Decision(StrEnum):
    """As SimulatePrincipalPolicy spells them."""

    ALLOWED = "allowed"
    IMPLICIT_DENY = "implicitDeny"
    EXPLICIT_DENY = "explicitDeny"


@dataclass(frozen=True)
class Statement:
    """Actions and resources may have * and ?."""

    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    effect: str = "Allow"

    def is_about(self, action: str, resource: str) -> bool:
        names = any(fnmatchcase(action.lower(), each.lower()) for each in self.actions)
        return names and any(fnmatchcase(resource, each) for each in self.resources)


EVERYTHING = (Statement(("*",)),)


def decide(statements: Sequence[Statement], action: str, resource: str) -> Decision:
    effects = {each.effect for each in statements if each.is_about(action, resource)}
    if "Deny" in effects:
        return Decision.EXPLICIT_DENY
    return Decision.ALLOWED if effects else Decision.IMPLICIT_DENY


def denied(
    principal: str, action: str, resource: str, decision: Decision, dialect: Dialect
) -> Refused:
    if decision is Decision.EXPLICIT_DENY:
        why = "with an explicit deny in an identity-based policy"
    else:
        why = f"because no identity-based policy allows the {action} action"
    message = (
        f"User: {principal} is not authorized to perform: {action} on resource: {resource} {why}"
    )
    if dialect.name == "ec2":
        message = f"You are not authorized to perform this operation. {message}"
    return Refused(dialect.denied, message, 400 if dialect.is_json else 403)
