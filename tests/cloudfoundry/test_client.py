"""The client alone, against the suite's own foundation: tokens, pages, limits, lost answers."""

import io
import logging
from collections.abc import Callable, Iterator

import pytest

from rollbacks.platforms.base import PlatformError, Secret, Stopped, TargetRef
from rollbacks.platforms.pcf import access, api
from rollbacks.platforms.pcf.answers import Absent, Limited, Lost, Refused
from rollbacks.platforms.pcf.api import Api
from tests.platforms.ssh.control import RecordingControl

from .caller import Caller
from .foundation import (
    Drop,
    Error,
    Expire,
    FakeFoundation,
    Login,
    Place,
    broken,
    too_many,
    unprocessable,
)

Asking = Callable[..., Api]


@pytest.fixture
def asking(foundation: FakeFoundation, place: Place, quick: None) -> Iterator[Asking]:
    """A client of somebody new in that place."""

    def made(text: str = "", **connector: object) -> Api:
        login = foundation.credential("space_developer", place)
        given = text or f"username: {login.user}\npassword: {login.password}\n"
        return Api(target(foundation, given, **connector))

    yield made
    access.forget()
    foundation.heal()


def target(foundation: FakeFoundation, credential: str, **connector: object) -> TargetRef:
    reached = {"api": foundation.api, "certificate_authority": str(foundation.ca)}
    return TargetRef(
        application="Shop",
        service="web",
        environment="production",
        infrastructure="east",
        connector={**reached, **connector},
        settings={},
        credential=Secret(credential),
    )


def clients(foundation: FakeFoundation, place: Place) -> Login:
    return foundation.credential("space_developer", place, kind="client")


def test_people_and_clients_are_let_in(
    asking: Asking, foundation: FakeFoundation, place: Place
) -> None:
    assert asking().get("/v3/spaces", names=place.space_name)["resources"]
    login = clients(foundation, place)
    client = asking(f"client_id: {login.user}\nclient_secret: {login.password}\n")
    assert client.get("/v3/spaces", names=place.space_name)["resources"]
    assert client.person.name == login.user


@pytest.mark.parametrize(
    "text", ["", "s3cret", "username: erin", "[1, 2]", "username: e\npassword: p\nmore: x", "{"]
)
def test_a_credential_of_another_shape_is_refused_and_not_shown(
    foundation: FakeFoundation, text: str
) -> None:
    with pytest.raises(PlatformError, match="must be two lines") as told:
        Api(target(foundation, text))
    assert told.value.permanent
    assert "s3cret" not in str(told.value)


def test_a_wrong_password_is_told_and_not_shown(asking: Asking) -> None:
    with pytest.raises(Refused, match="does not accept the connector's credential") as told:
        asking("username: nobody\npassword: s3cret\n").get("/v3/spaces")
    assert told.value.permanent
    assert "s3cret" not in str(told.value)


def test_a_certificate_of_somebody_else_is_not_trusted(asking: Asking) -> None:
    with pytest.raises(PlatformError, match="certificate is not trusted") as told:
        asking(certificate_authority=None).get("/v3/spaces")
    assert told.value.permanent


def test_an_authority_that_cannot_be_read_is_named(asking: Asking) -> None:
    with pytest.raises(PlatformError, match="cannot read the certificate authority /no/such"):
        asking(certificate_authority="/no/such")


@pytest.mark.parametrize("refuses_refresh", [False, True])
def test_a_token_that_has_ended_is_renewed_and_the_change_is_made_once(
    asking: Asking, foundation: FakeFoundation, place: Place, refuses_refresh: bool
) -> None:
    client = asking()
    client.get("/v3/spaces")
    foundation.uaa.refuses_refresh = refuses_refresh
    foundation.fail("POST /v3/apps", Expire())
    before = len(foundation.changes)
    client.write(RecordingControl(), "POST", "/v3/apps", app(place, "shop"))
    foundation.uaa.refuses_refresh = False
    assert [each.path for each in foundation.changes[before:]] == ["/v3/apps"] * 2
    assert len(list(client.pages("/v3/apps", space_guids=place.space))) == 1


def test_a_token_is_renewed_before_it_ends(asking: Asking, foundation: FakeFoundation) -> None:
    life, foundation.timing.access_token = foundation.timing.access_token, 0.9
    try:
        client = asking()
        client.get("/v3/spaces")
        asked = len(foundation.requests)
        client.get("/v3/spaces")
        grants = [each for each in foundation.requests[asked:] if each.path == "/oauth/token"]
        assert len(grants) == 1
    finally:
        foundation.timing.access_token = life


def test_all_pages_are_read(
    asking: Asking, caller: Caller, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "PER_PAGE", 2)
    for number in range(5):
        caller.app(place, f"shop-{number}")
    found = asking().pages("/v3/apps", space_guids=place.space)
    assert sorted(str(each["name"]) for each in found) == [f"shop-{each}" for each in range(5)]


def test_what_is_not_there_is_none_or_absent(asking: Asking) -> None:
    assert asking().find("/v3/apps/none") is None
    with pytest.raises(Absent, match="knows nothing of GET /v3/apps/none"):
        asking().get("/v3/apps/none")


def test_a_read_is_asked_again_and_a_change_is_not(
    asking: Asking, foundation: FakeFoundation, place: Place
) -> None:
    client = asking()
    foundation.fail("GET /v3/spaces", Error(broken()), times=2)
    assert client.get("/v3/spaces")
    before = len(foundation.changes)
    foundation.fail("POST /v3/apps", Error(broken()))
    with pytest.raises(Lost):
        client.write(RecordingControl(), "POST", "/v3/apps", app(place, "shop"))
    assert len(foundation.changes) == before + 1


@pytest.mark.parametrize("how", [Drop(), Drop(after_effect=True), Drop(by_reset=True)])
def test_a_lost_answer_is_unknown_and_not_failed(
    asking: Asking, foundation: FakeFoundation, place: Place, how: Drop
) -> None:
    client = asking()
    client.get("/v3/spaces")
    foundation.fail("POST /v3/apps", how)
    with pytest.raises(Lost, match="outcome is unknown, and is looked up") as told:
        client.write(RecordingControl(), "POST", "/v3/apps", app(place, "shop"))
    assert not told.value.permanent


def test_nobody_there_is_no_change(asking: Asking) -> None:
    client = asking(api="https://127.0.0.1:1")
    with pytest.raises(PlatformError) as told:
        client.write(RecordingControl(), "POST", "/v3/apps", {})
    assert not isinstance(told.value, Lost)


def test_too_much_is_asked_again_when_it_may(
    asking: Asking, foundation: FakeFoundation, place: Place
) -> None:
    client = asking()
    foundation.fail("POST /v3/apps", Error(too_many(0)), times=2)
    client.write(RecordingControl(), "POST", "/v3/apps", app(place, "shop"))
    foundation.fail("POST /v3/apps", Error(too_many(3_000)))
    with pytest.raises(Limited, match="Rate Limit Exceeded") as told:
        client.write(RecordingControl(), "POST", "/v3/apps", app(place, "other"))
    assert (told.value.seconds, told.value.permanent) == (3_000, False)


def test_a_refusal_is_told_in_the_words_of_cloud_foundry(
    asking: Asking, foundation: FakeFoundation, place: Place
) -> None:
    foundation.fail("POST /v3/apps", Error(unprocessable("The name is taken.")))
    with pytest.raises(Refused, match="refuses POST /v3/apps: The name is taken") as told:
        asking().write(RecordingControl(), "POST", "/v3/apps", app(place, "shop"))
    assert told.value.permanent


def test_nothing_is_changed_after_the_control_says_stop(
    asking: Asking, foundation: FakeFoundation, place: Place
) -> None:
    client, control = asking(), RecordingControl(stop_at=1)
    client.get("/v3/spaces")
    before = len(foundation.changes)
    with pytest.raises(Stopped):
        client.write(control, "POST", "/v3/apps", app(place, "shop"))
    with pytest.raises(Stopped):
        client.upload(control, "/v3/packages/x/upload", io.BytesIO(b"x"))
    assert len(foundation.changes) == before


def test_no_token_and_no_password_is_logged(
    asking: Asking, foundation: FakeFoundation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = asking()
    client.get("/v3/spaces")
    secret = client._session.token()
    assert secret not in caplog.text
    assert client._session._given["password"] not in caplog.text
    assert secret not in repr(client._session._token)
    assert client._session._given["password"] not in repr(access._sessions)


def app(place: Place, name: str) -> dict[str, object]:
    relation = {"space": {"data": {"guid": place.space}}}
    return {"name": name, "relationships": relation, "lifecycle": {"type": "docker", "data": {}}}
