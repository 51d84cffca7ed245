"""What we may do, asked of AWS itself before anything begins.

Source: docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html. It knows the
policies of the user or role, their boundary and the organisation's, not those of resources, and
nothing that depends on a request's context.
"""

from collections.abc import Iterator, Mapping, Sequence

from rollbacks.platforms.aws.api import Api, Refused
from rollbacks.platforms.base import Inspection

MOST_ACTIONS = 100
ANYTHING = "*"  # of actions that are not about one thing
_ASK = "iam:SimulatePrincipalPolicy"


def inspected(api: Api, needs: Mapping[str, Sequence[str]]) -> Inspection:
    """A problem with the actions that would be refused, or a warning where that cannot be asked.

    `needs`: actions by the ARN of what they are done to; "*" for those that are about nothing
    in particular. Raises PlatformError.
    """
    caller = api.caller
    if caller.endswith(":root"):
        return Inspection()
    source = api.role or _source(caller)
    try:
        missing = [
            f"{', '.join(actions)}{'' if resource == ANYTHING else f' on {resource}'}"
            for resource, wanted in needs.items()
            if (actions := sorted(set(_missing(api, source, resource, wanted))))
        ]
    except Refused as error:
        if not error.permanent:
            raise
        return Inspection(
            warnings=(
                f"Whether {caller} may do all that is needed is not known before it is tried: "
                f"{error}. Let it ask by {_ASK}.",
            )
        )
    if not missing:
        return Inspection()
    return Inspection(problems=(f"{caller} may not {'; '.join(missing)}.",))


def _missing(api: Api, source: str, resource: str, actions: Sequence[str]) -> Iterator[str]:
    for first in range(0, len(actions), MOST_ACTIONS):
        found = api.pages(
            "iam",
            "simulate_principal_policy",
            "EvaluationResults",
            PolicySourceArn=source,
            ActionNames=list(actions[first : first + MOST_ACTIONS]),
            ResourceArns=[resource],
        )
        for each in found:
            is_open = bool(each.get("MissingContextValues"))
            if each["EvalDecision"] != "allowed" and not is_open:
                yield each["EvalActionName"]


def _source(caller: str) -> str:
    """The role itself, of one who has assumed it."""
    if ":assumed-role/" not in caller:
        return caller
    _, partition, _, _, account, name = caller.split(":", 5)
    return f"arn:{partition}:iam::{account}:role/{name.split('/')[1]}"
