"""Whether a request was signed with the secret it should have been: AWS's signature, version 4.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hmac
from hashlib import sha256
from urllib.parse import parse_qsl, quote, urlsplit

from tests.transport import HttpRequest


def is_signed_with(http: HttpRequest, secret: str) -> bool:
    _, _, rest = http.headers["authorization"].partition(" ")
    parts = dict(each.strip().split("=", 1) for each in rest.split(","))
    _, date, region, service, _ = parts["Credential"].split("/")
    canonical = _canonical(http, parts["SignedHeaders"])
    place = f"{date}/{region}/{service}/aws4_request"
    moment = http.headers["x-amz-date"]
    text = f"AWS4-HMAC-SHA256\n{moment}\n{place}\n{sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for each in (date, region, service, "aws4_request", text):
        key = hmac.digest(key, each.encode(), "sha256")
    return hmac.compare_digest(key.hex(), parts["Signature"])


def _canonical(http: HttpRequest, signed: str) -> str:
    parts = urlsplit(http.path)
    pairs = sorted(parse_qsl(parts.query, keep_blank_values=True))
    query = "&".join(f"{quote(key, '-_.~')}={quote(value, '-_.~')}" for key, value in pairs)
    headers = "".join(
        f"{name}:{' '.join(http.headers.get(name, '').split())}\n" for name in signed.split(";")
    )
    path = quote(parts.path or "/", "/-_.~")
    content = sha256(http.body).hexdigest()
    return f"{http.method}\n{path}\n{query}\n{headers}\n{signed}\n{content}"
