"""Audit events, of one kind only: the latest crash of each instance that is there."""

from collections.abc import Iterator
from typing import Any

from .. import diego, documents
from .. import records as r
from ..calls import Answer, Call
from ..listing import listed
from ..routing import routes

Json = dict[str, Any]


@routes.on("GET", "/v3/audit_events")
def list_events(call: Call) -> Answer:
    filters = {
        "types": lambda each: each.type,
        "target_guids": lambda each: each.app,
        "space_guids": lambda each: call.state.space_of(each).guid,
        "organization_guids": lambda each: call.state.space_of(each).org,
    }
    found = [
        event
        for process in call.state.all(r.Process)
        if call.caller.can_read_events(call.state, call.state.space_of(process))
        for event in _crashes(call, process)
    ]
    return listed(call, found, lambda each: _shown(call, each), filters)


def _crashes(call: Call, process: r.Process) -> Iterator[r.Event]:
    for seen in diego.seen(call.state, process):
        if seen.look.crashes:
            when = call.state.clock.now - seen.look.crashed_ago
            data = {
                "instance": seen.instance.guid,
                "index": seen.instance.index,
                "cell_id": "diego-cell-1",
                "reason": "CRASHED",
                "exit_description": "APP/PROC/WEB: Exited with status 1",
                "crash_count": seen.look.crashes,
                "version": process.version,
            }
            yield r.Event(
                created=when,
                updated=when,
                type="app.process.crash",
                app=process.app,
                process=process.guid,
                process_type=process.type,
                data=data,
            )


def _shown(call: Call, event: r.Event) -> Json:
    app, space = call.state.get(r.App, event.app), call.state.space_of(event)
    return {
        **documents.base(call.state, event),
        "type": event.type,
        "actor": {"guid": event.process, "type": "process", "name": event.process_type},
        "target": {"guid": app.guid, "type": "app", "name": app.name},
        "data": event.data,
        "space": {"guid": space.guid},
        "organization": {"guid": space.org},
        "links": {"self": documents.link(call.state, f"audit_events/{event.guid}")},
    }
