"""Builds the demo's artifacts: real ZIP files, two good versions of a shop and a bad one."""

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template

PAGE = Path(__file__).parent / "storefront" / "index.html"
GOOD = {"color": "#11703c", "violin": "$480.00", "clarinet": "$615.00", "drum": "$239.00"}
# Every check is green and every price is wrong: what only a person notices.
BAD = {"color": "#b3261e", "violin": "$0.00", "clarinet": "$NaN", "drum": "$0.00"}

STOREFRONT: Mapping[str, Mapping[str, str]] = {
    "1.4.0": GOOD | {"banner": "All prices are up to date"},
    "1.4.1": GOOD | {"banner": "All prices are up to date. New: pay by invoice"},
    "1.4.2": BAD | {"banner": "Prices could not be read. Everything must go!"},
}


@dataclass(frozen=True)
class Release:
    """One built artifact, with the fields of its entry in the catalogue."""

    service: str
    version: str
    location: str
    checksum: str

    @property
    def entry(self) -> Mapping[str, str]:
        return asdict(self)


def build(directory: Path) -> Iterator[Release]:
    """Every artifact of the demo, written into the directory."""
    directory.mkdir()
    page = Template(PAGE.read_text())
    for version, words in STOREFRONT.items():
        files = {"index.html": page.substitute(words, version=version)}
        yield _pack(directory, "storefront", version, files)
    yield _pack(directory, "catalog-api", "2.8.0", {"prices.json": '{"violin": 480}\n'})


def _pack(directory: Path, service: str, version: str, files: Mapping[str, str]) -> Release:
    path = directory / f"{service}-{version}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**files, "version.txt": f"{version}\n"}.items():
            archive.writestr(name, text)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Release(service, version, str(path), f"sha256:{digest}")
