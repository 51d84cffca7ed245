import pytest

from rollbacks.platforms.pcf.registries import registry_of


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("registry.example/shop/web:1", "registry.example"),
        ("registry.example:5000/web", "registry.example:5000"),
        ("localhost/web", "localhost"),
        ("shop/web:1.4", "docker.io"),
        ("web", "docker.io"),
        ("web.example", "docker.io"),
    ],
)
def test_the_registry_of_an_image(image: str, registry: str) -> None:
    assert registry_of(image) == registry
