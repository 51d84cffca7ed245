"""What is installed for apps to be staged with: stacks and buildpacks."""

from typing import Any

from .. import documents
from .. import records as r
from ..calls import Answer, Call
from ..listing import listed
from ..routing import routes

Json = dict[str, Any]


@routes.on("GET", "/v3/stacks")
def list_stacks(call: Call) -> Answer:
    filters = {"names": lambda each: each.name, "default": lambda each: "true"}
    return listed(call, call.state.all(r.Stack), lambda each: _stack(call, each), filters)


@routes.on("GET", "/v3/buildpacks")
def list_buildpacks(call: Call) -> Answer:
    filters = {
        "names": lambda each: each.name,
        "stacks": lambda each: each.stack,
        "lifecycle": lambda each: "buildpack",
    }
    return listed(call, call.state.all(r.Buildpack), lambda each: _buildpack(call, each), filters)


def _stack(call: Call, stack: r.Stack) -> Json:
    return {
        **documents.base(call.state, stack),
        "name": stack.name,
        "description": "Cloud Foundry Linux-based filesystem",
        "state": "ACTIVE",
        "state_reason": None,
        "build_rootfs_image": stack.name,
        "run_rootfs_image": stack.name,
        "default": True,
        **documents.metadata(stack),
        "links": {"self": documents.link(call.state, f"stacks/{stack.guid}")},
    }


def _buildpack(call: Call, buildpack: r.Buildpack) -> Json:
    return {
        **documents.base(call.state, buildpack),
        "name": buildpack.name,
        "state": "READY",
        "filename": f"{buildpack.name}-v1.zip",
        "stack": buildpack.stack,
        "position": 1 + call.state.all(r.Buildpack).index(buildpack),
        "lifecycle": "buildpack",
        "enabled": True,
        "locked": False,
        **documents.metadata(buildpack),
        "links": {"self": documents.link(call.state, f"buildpacks/{buildpack.guid}")},
    }
