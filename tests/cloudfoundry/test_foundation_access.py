"""Who gets in on the suite's own foundation, for how long, and what each role may do."""

import httpx
import pytest

from .caller import Caller, detail, to
from .foundation import Expire, FakeFoundation, Place

NOT_AUTHORIZED = (
    403,
    "CF-NotAuthorized",
    "You are not authorized to perform the requested action",
)
INVALID_TOKEN = (401, "CF-InvalidAuthToken", "Invalid Auth Token")


@pytest.fixture
def app(caller: Caller, place: Place) -> str:
    return caller.app(place, "shop")


def test_only_its_own_authority_vouches_for_it(foundation: FakeFoundation) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(foundation.api)


def test_the_root_says_where_everything_is_to_anybody(caller: Caller) -> None:
    del caller.http.headers["Authorization"]
    links = caller.ask("GET", "/")["links"]
    assert links["cloud_controller_v3"]["href"] == f"{caller.foundation.api}/v3"
    assert links["uaa"]["href"] == links["login"]["href"] == caller.foundation.login
    assert links["log_cache"]["href"].startswith("https:")
    refused = caller.send("GET", "/v3/apps")
    assert detail(refused) == (401, "CF-NotAuthenticated", "Authentication error")


def test_a_wrong_password_is_refused(foundation: FakeFoundation, caller: Caller) -> None:
    form = {"grant_type": "password", "username": caller.login.user, "password": "guess"}
    refused = caller.token(form)
    assert refused.status_code == 401
    said = {"error": "unauthorized", "error_description": "Bad credentials"}
    assert refused.json() == said


def test_an_ended_token_is_refused_and_a_refresh_token_gives_another(caller: Caller) -> None:
    granted = caller.log_in()
    assert granted["token_type"] == "bearer"
    caller.foundation.uaa.expire()
    assert detail(caller.send("GET", "/v3/apps")) == INVALID_TOKEN
    form = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
    for _ in range(2):
        again = caller.token(form).json()
        caller.http.headers["Authorization"] = f"bearer {again['access_token']}"
        assert caller.send("GET", "/v3/apps").status_code == 200


def test_a_token_ends_by_itself(foundation: FakeFoundation, caller: Caller) -> None:
    usual = foundation.timing.access_token
    foundation.timing.access_token = 0.0
    caller.log_in()
    foundation.timing.access_token = usual
    assert detail(caller.send("GET", "/v3/apps")) == INVALID_TOKEN


def test_a_rotated_refresh_token_is_good_once(foundation: FakeFoundation, caller: Caller) -> None:
    first = caller.log_in()["refresh_token"]
    foundation.uaa.rotates = True
    form = {"grant_type": "refresh_token", "refresh_token": first}
    second = caller.token(form).json()["refresh_token"]
    assert second != first
    assert caller.token(form).status_code == 401
    assert caller.token({**form, "refresh_token": second}).status_code == 200
    foundation.uaa.rotates = False


def test_refreshing_may_be_refused_altogether(foundation: FakeFoundation, caller: Caller) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": caller.log_in()["refresh_token"]}
    foundation.uaa.refuses_refresh = True
    refused = caller.token(form)
    foundation.uaa.refuses_refresh = False
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")


def test_a_client_logs_in_with_its_secret(
    foundation: FakeFoundation, caller: Caller, place: Place
) -> None:
    robot = foundation.credential("space_developer", place, kind="client")
    form = {"grant_type": "client_credentials"}
    granted = caller.token(form, (robot.user, robot.password)).json()
    assert "refresh_token" not in granted
    caller.http.headers["Authorization"] = f"bearer {granted['access_token']}"
    assert caller.app(place, "by-robot")
    assert caller.token(form, (robot.user, "guess")).status_code == 401


def test_a_token_without_the_scope_changes_nothing(
    foundation: FakeFoundation, caller: Caller, place: Place, app: str
) -> None:
    robot = foundation.credential("space_developer", place, kind="reader")
    granted = caller.token({"grant_type": "client_credentials"}, (robot.user, robot.password))
    caller.http.headers["Authorization"] = f"bearer {granted.json()['access_token']}"
    assert caller.send("GET", f"/v3/apps/{app}").status_code == 200
    assert detail(caller.send("DELETE", f"/v3/apps/{app}")) == NOT_AUTHORIZED


def test_a_token_may_end_just_before_any_request(caller: Caller, app: str) -> None:
    caller.foundation.fail("DELETE /v3/apps/*", Expire())
    assert detail(caller.send("DELETE", f"/v3/apps/{app}")) == INVALID_TOKEN
    caller.log_in()
    assert caller.ask("GET", f"/v3/apps/{app}")["name"] == "shop"


# What each role gets for: looking at an app, its variables, scaling it, removing it.
ROLES = {
    "space_developer": (200, 200, 202, 202),
    "space_supporter": (200, 200, 202, 403),
    "space_manager": (200, 403, 403, 403),
    "space_auditor": (200, 403, 403, 403),
    "organization_manager": (200, 403, 403, 403),
    "organization_auditor": (404, 404, 404, 404),
    None: (404, 404, 404, 404),
    "admin": (200, 200, 202, 202),
}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_what_the_real_one_allows(
    foundation: FakeFoundation, place: Place, app: str, role: str | None
) -> None:
    here = f"/v3/apps/{app}"
    with Caller(foundation, foundation.credential(role, place)) as somebody:
        answers = [
            somebody.send("GET", here),
            somebody.send("GET", f"{here}/environment_variables"),
            somebody.send("POST", f"{here}/processes/web/actions/scale", {"instances": 1}),
            somebody.send("DELETE", here),
        ]
    assert tuple(each.status_code for each in answers) == ROLES[role]


def test_what_cannot_be_seen_is_not_there_or_no_relationship(
    foundation: FakeFoundation, place: Place, app: str
) -> None:
    with Caller(foundation, foundation.credential(None)) as stranger:
        for path in (f"/v3/spaces/{place.space}", f"/v3/organizations/{place.org}"):
            assert detail(stranger.send("GET", path))[:2] == (404, "CF-ResourceNotFound")
        for path in ("/v3/apps", "/v3/spaces", "/v3/organizations", "/v3/routes"):
            assert stranger.ask("GET", path)["resources"] == []
        refused = [
            stranger.send("POST", "/v3/apps", {"name": "x", **to(space=place.space)}),
            stranger.send("POST", "/v3/packages", {"type": "bits", **to(app=app)}),
            stranger.send("POST", "/v3/deployments", to(app=app)),
        ]
    assert [detail(each)[::2] for each in refused] == [
        (422, "Invalid space. Ensure that the space exists and you have access to it."),
        (422, "App is invalid. Ensure it exists and you have access to it."),
        (422, "Unable to use app. Ensure that the app exists and you have access to it."),
    ]


def test_roles_are_taken_in_between(foundation: FakeFoundation, caller: Caller, app: str) -> None:
    found = caller.ask("GET", "/v3/roles", types="space_developer")["resources"]
    assert len(found) == 1
    foundation.take_roles(caller.login)
    assert caller.send("GET", f"/v3/apps/{app}").status_code == 404


def test_nothing_changes_in_a_suspended_organization(
    foundation: FakeFoundation, caller: Caller, place: Place, app: str
) -> None:
    foundation.suspend(place)
    refused = caller.send("PATCH", f"/v3/apps/{app}", {"name": "other"})
    assert detail(refused) == (403, "CF-OrgSuspended", "The organization is suspended")
    assert caller.ask("GET", f"/v3/organizations/{place.org}")["suspended"]
    assert caller.ask("GET", f"/v3/apps/{app}")["name"] == "shop"
    with Caller(foundation, foundation.credential("admin")) as admin:
        assert admin.ask("PATCH", f"/v3/apps/{app}", {"name": "other"})["name"] == "other"


def test_commands_are_hidden_from_lists_and_auditors(
    foundation: FakeFoundation, caller: Caller, place: Place, app: str
) -> None:
    web = f"/v3/apps/{app}/processes/web"
    caller.ask("PATCH", web, {"command": "run"})
    hidden = "[PRIVATE DATA HIDDEN IN LISTS]"
    assert caller.ask("GET", web)["command"] == "run"
    listed = caller.ask("GET", f"/v3/apps/{app}/processes")["resources"]
    assert [each["command"] for each in listed] == [hidden]
    with Caller(foundation, foundation.credential("space_auditor", place)) as auditor:
        assert auditor.ask("GET", web)["command"] == hidden
        permissions = auditor.ask("GET", f"/v3/apps/{app}/permissions")
        assert permissions == {"read_basic_data": True, "read_sensitive_data": False}


def test_what_is_not_modelled_says_so(caller: Caller) -> None:
    assert caller.send("GET", "/v3/isolation_segments").status_code == 501
