"""Route 53's record sets; hosted zones are moto's.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html
moto changes some of a batch before it refuses it, and deletes what it finds by an identifier alone.
"""

from collections.abc import Mapping

from .asked import Actions, Asked, Json
from .refusals import Refused
from .world import World, now, token

_MOST = 300
_ROUTINGS = ("Weight", "Region", "Failover", "GeoLocation", "MultiValueAnswer")
_Key = tuple[tuple[str, ...], str, str]  # the name's labels reversed, type, set identifier
_Sets = dict[_Key, Json]


class RecordSets:
    def __init__(self, world: World) -> None:
        self._world = world
        self._zones: dict[str, _Sets] = {}
        self._pending: dict[str, Json] = {}

    @property
    def actions(self) -> Actions:
        return {
            "ChangeResourceRecordSets": self.change,
            "GetChange": self.status,
            "ListResourceRecordSets": self.list,
        }

    def change(self, asked: Asked) -> Json:
        """All of a batch, or nothing of it."""
        zone = _id(asked.parameters["HostedZoneId"])
        changed = dict(self._sets(zone))
        refusals: list[str] = []
        for each in asked.parameters["ChangeBatch"]["Changes"]:
            given = _completed(each["ResourceRecordSet"])
            if refusal := self._refusal(changed, each["Action"], given, self._name(zone)):
                refusals.append(refusal)
            elif each["Action"] == "DELETE":
                del changed[_key(given)]
            else:
                changed[_key(given)] = given
        if refusals:
            raise Refused("InvalidChangeBatch", f"[{', '.join(refusals)}]")
        self._zones[zone] = changed
        return {"ChangeInfo": self._begun()}

    def status(self, asked: Asked) -> Json:
        name = asked.parameters["Id"].rpartition("/")[2]
        if name not in self._pending:
            message = f"Could not find resource with ID: {name}"
            raise Refused("NoSuchChange", message, 404)
        return {"ChangeInfo": self._pending[name]}

    def list(self, asked: Asked) -> Json:
        given = asked.parameters
        start = given.get("StartRecordName")
        if given.get("StartRecordType") and not start:
            raise Refused("InvalidInput", "The input is not valid")
        sets = self._sets(_id(given["HostedZoneId"]))
        first = _key(
            {
                "Name": start or "",
                "Type": given.get("StartRecordType") or "",
                "SetIdentifier": given.get("StartRecordIdentifier") or "",
            }
        )
        found = [sets[key] for key in sorted(sets) if not start or key >= first]
        size = min(int(given.get("MaxItems") or _MOST), _MOST)
        answer: Json = {
            "ResourceRecordSets": found[:size],
            "IsTruncated": len(found) > size,
            "MaxItems": size,
        }
        if len(found) > size:
            answer["NextRecordName"] = found[size]["Name"]
            answer["NextRecordType"] = found[size]["Type"]
            answer["NextRecordIdentifier"] = found[size].get("SetIdentifier")
        return answer

    def _sets(self, zone: str) -> _Sets:
        """To begin with those that moto made with the zone. Raises Refused."""
        if zone not in self._zones:
            found = self._world.beneath.ask(
                "route53", "list_resource_record_sets", HostedZoneId=zone
            )
            self._zones[zone] = {_key(each): each for each in found["ResourceRecordSets"]}
        return self._zones[zone]

    def _name(self, zone: str) -> str:
        found = self._world.beneath.ask("route53", "get_hosted_zone", Id=zone)
        return str(found["HostedZone"]["Name"])

    def _begun(self) -> Json:
        name = f"C{token(13).upper()}"
        made = {"Id": f"/change/{name}", "Status": "PENDING", "SubmittedAt": now()}
        self._pending[name] = made
        self._world.loop.after(self._world.timing.dns, lambda: made.update(Status="INSYNC"))
        return dict(made)

    def _refusal(self, sets: _Sets, action: str, given: Json, zone: str) -> str:
        """Why Route 53 would not do this; empty where it would."""
        if not given["Name"].endswith(f".{zone}") and given["Name"] != zone:
            return f"RRSet with DNS name {given['Name']} is not permitted in zone {zone}"
        known = sets.get(_key(given))
        if action == "DELETE":
            if known is None:
                return f"Tried to delete {_named(given)} but it was not found"
            if known != given:
                return (
                    f"Tried to delete {_named(given)} but the values provided do not match the "
                    "current values"
                )
            return ""
        if action == "CREATE" and known is not None:
            return f"Tried to create {_named(given)} but it already exists"
        return _misfit(sets, given)


def _misfit(sets: Mapping[_Key, Json], given: Json) -> str:
    """Records of one name and type are all simple, or all of one kind of routing."""
    what = f"RRSet with DNS name {given['Name']}, type {given['Type']}"
    routing = [each for each in _ROUTINGS if each in given]
    identifier = given.get("SetIdentifier")
    if bool(routing) is not bool(identifier):
        return f"{what} must have both a SetIdentifier and one kind of routing, or neither"
    if identifier:
        what += f", SetIdentifier {identifier}"
    labels, kind, _ = _key(given)
    others = [one for key, one in sets.items() if key[:2] == (labels, kind) and key != _key(given)]
    if any([each for each in _ROUTINGS if each in other] != routing for other in others):
        return (
            f"{what} cannot be created as other RRSets exist with the same name and type and "
            "another kind of routing"
        )
    return ""


def _completed(given: Json) -> Json:
    """As it will be shown: names are in lower case and end with a dot."""
    return {**given, "Name": f"{given['Name'].lower().rstrip('.')}."}


def _key(given: Json) -> _Key:
    labels = given["Name"].lower().rstrip(".").split(".")
    return tuple(reversed(labels)), given["Type"], given.get("SetIdentifier", "")


def _id(zone: str) -> str:
    return zone.rpartition("/")[2]


def _named(given: Json) -> str:
    identifier = given.get("SetIdentifier")
    rest = f", set identifier='{identifier}'" if identifier else ""
    return f"resource record set [name='{given['Name']}', type='{given['Type']}'{rest}]"
