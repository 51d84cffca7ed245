import pytest

from rollbacks.platforms.pcf.addresses import Address, address_of, checked, domains_of


@pytest.mark.parametrize(
    "text", ["shop.example.com", "a.b.example.com/path/x", "*.example.com", "my_shop.example.com"]
)
def test_what_is_a_route(text: str) -> None:
    assert checked(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "https://shop.example.com",
        "shop.example.com:8080",
        "shop",
        "shop..com",
        "a b.com",
        "",
        "x.y?z",
    ],
)
def test_what_is_no_route(text: str) -> None:
    with pytest.raises(ValueError, match="is no route"):
        checked(text)


def test_the_most_specific_domain_is_taken() -> None:
    domains = ["example.com", "apps.example.com"]
    assert address_of("shop.apps.example.com/x", domains) == Address(
        "shop", "apps.example.com", "/x"
    )
    assert address_of("a.b.example.com", domains) == Address("a.b", "example.com", "")
    assert address_of("shop.elsewhere.com", domains) is None


def test_a_route_may_be_a_whole_domain() -> None:
    address = address_of("apps.example.com", ["apps.example.com"])
    assert address == Address("", "apps.example.com", "")
    assert address.text == "apps.example.com"
    assert domains_of("a.b.c/x") == ["a.b.c", "b.c"]
