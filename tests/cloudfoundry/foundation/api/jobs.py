"""Jobs: how far they are."""

from .. import documents
from .. import records as r
from ..calls import Answer, Call
from ..problems import missing
from ..routing import routes


@routes.on("GET", "/v3/jobs/{guid}")
def get_job(call: Call) -> Answer:
    job = call.state.find(r.Job, call.parts["guid"])
    if job is None:
        raise missing("Job")
    return Answer(body=documents.job(call.state, job))
