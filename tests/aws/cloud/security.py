"""STS and the one question to IAM that a careful tool asks before it begins."""

from .asked import Actions, Asked, Json
from .identities import Identities, Role
from .policies import Decision, decide
from .refusals import Refused

_LONGEST_NAME = 64


class Security:
    def __init__(self, identities: Identities) -> None:
        self._identities = identities

    def sts(self) -> Actions:
        return {"GetCallerIdentity": self.caller, "AssumeRole": self.assume}

    def iam(self) -> Actions:
        return {"SimulatePrincipalPolicy": self.simulate}

    def caller(self, asked: Asked) -> Json:
        principal = asked.principal
        account = self._identities.world.account
        return {"UserId": principal.user_id, "Account": account, "Arn": principal.arn}

    def assume(self, asked: Asked) -> Json:
        given = asked.parameters
        role = self._identities.roles.get(given["RoleArn"])
        if role is None or not self._is_trusted(role, asked):
            raise Refused(
                "AccessDenied",
                f"User: {asked.principal.arn} is not authorized to perform: sts:AssumeRole on "
                f"resource: {given['RoleArn']}",
                403,
            )
        seconds = int(given.get("DurationSeconds", 3600))
        key = self._identities.session(role, given["RoleSessionName"], seconds)
        return {
            "Credentials": {
                "AccessKeyId": key.access_key,
                "SecretAccessKey": key.secret,
                "SessionToken": key.token,
                "Expiration": key.ends_at,
            },
            "AssumedRoleUser": {
                "AssumedRoleId": key.principal.user_id,
                "Arn": key.principal.arn,
            },
        }

    def simulate(self, asked: Asked) -> Json:
        """Of a user or a role: the ARN of a session is refused, as IAM does."""
        given = asked.parameters
        source = given["PolicySourceArn"]
        if ":assumed-role/" in source:
            message = f"Invalid Entity Arn: {source} does not clearly define entity type and name."
            raise Refused("InvalidInput", message)
        statements = self._identities.statements(source)
        if statements is None:
            raise Refused("NoSuchEntity", f"The entity {source} cannot be found.", 404)
        results = [
            {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": decide(statements, action, resource).value,
                "MatchedStatements": [],
                "MissingContextValues": [],
            }
            for action in given["ActionNames"]
            for resource in given.get("ResourceArns") or ["*"]
        ]
        return {"EvaluationResults": results, "IsTruncated": False}

    def _is_trusted(self, role: Role, asked: Asked) -> bool:
        """Its trust policy lets the caller in, and so do the caller's own policies."""
        known = role.external_id in ("", asked.parameters.get("ExternalId"))
        root = f"arn:aws:iam::{self._identities.world.account}:root"
        trusts = root in role.trusted or asked.principal.source in role.trusted
        decision = decide(asked.principal.statements, "sts:AssumeRole", role.arn)
        return known and trusts and decision is Decision.ALLOWED
