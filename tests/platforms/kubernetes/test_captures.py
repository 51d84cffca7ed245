"""The way back: after it, exactly what was captured."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rollbacks.platforms.kubernetes.captures import kept, ownership, way_back
from tests.kubernetes.cluster.patches import json_patch
from tests.nightly import IS_NIGHTLY

Json = dict[str, Any]
EXAMPLES = 500 if IS_NIGHTLY else 40
NAMES = st.sampled_from(["app", "a/b", "a~b", "~1", "/", "lastgood.io/release", "", "a~1/0"])
TEXTS = st.dictionaries(NAMES, st.sampled_from(["", "1", "2"]))
SPECS = st.fixed_dictionaries(
    {"template": st.dictionaries(NAMES, st.integers(0, 2) | st.lists(st.integers(), max_size=2))},
    optional={"replicas": st.integers(0, 9), "paused": st.booleans()},
)
MANAGERS = st.lists(
    st.fixed_dictionaries(
        {
            "manager": st.sampled_from(["lastgood", "kubectl", "kube-controller-manager"]),
            "operation": st.sampled_from(["Apply", "Update"]),
            "fieldsV1": st.dictionaries(NAMES, st.just({})),
        },
        optional={"subresource": st.just("status"), "time": st.sampled_from(["1", "2"])},
    ),
    max_size=4,
)


def thing(version: str, spec: Json, labels: Any, annotations: Any, managers: Any) -> Json:
    metadata = {"name": "web", "uid": "1", "resourceVersion": version}
    parts = {"labels": labels, "annotations": annotations, "managedFields": managers}
    metadata |= {name: part for name, part in parts.items() if part is not None}
    return {"kind": "Deployment", "metadata": metadata, "spec": spec}


THINGS = st.builds(
    thing, st.just("5"), SPECS, st.none() | TEXTS, st.none() | TEXTS, st.none() | MANAGERS
)
WRITTEN = st.builds(lambda a, b: {"metadata": {"labels": a, "annotations": b}}, TEXTS, TEXTS)


@settings(deadline=None, max_examples=EXAMPLES)
@given(THINGS, THINGS, WRITTEN)
def test_the_patch_gives_back_exactly_what_was_captured_and_touches_nothing_else(
    before: Json, live: Json, manifest: Json
) -> None:
    was = kept(before, manifest)
    assert was is not None
    untouched = copy.deepcopy(live)
    operations = way_back(live, was)
    after = json_patch(live, operations)
    assert live == untouched
    assert kept(after, manifest) is not None
    assert after["spec"] == before["spec"]
    for part in ("labels", "annotations"):
        ours = manifest["metadata"][part]
        for name in ours:
            assert (after["metadata"].get(part) or {}).get(name) == (
                before["metadata"].get(part) or {}
            ).get(name)
        assert _others(after, part, ours) == _others(live, part, ours)
    assert way_back(after, was) == []


def _others(found: Json, part: str, ours: Json) -> Json:
    names = found["metadata"].get(part) or {}
    return {name: value for name, value in names.items() if name not in ours}


@settings(deadline=None, max_examples=EXAMPLES)
@given(THINGS, THINGS)
def test_where_an_autoscaler_counts_its_number_stays(before: Json, live: Json) -> None:
    was = kept(before, {"metadata": {}})
    assert was is not None
    after = json_patch(live, way_back(live, was, is_scaled=True))
    assert after["spec"].get("replicas") == live["spec"].get("replicas")
    without = [{**each["spec"], "replicas": None} for each in (after, before)]
    assert without[0] == without[1]


@settings(deadline=None, max_examples=EXAMPLES)
@given(THINGS, THINGS)
def test_we_own_again_what_we_owned_then_and_nobody_elses_fields_change(
    before: Json, live: Json
) -> None:
    was = kept(before, {"metadata": {}})
    assert was is not None
    after = json_patch(live, ownership(live, was))
    assert _owned(after, True) == _owned(before, True)
    assert _owned(after, False) == _owned(live, False)
    assert ownership(after, was) == []


def _owned(found: Json, ours: bool) -> list[Json]:
    return [
        {name: part for name, part in each.items() if name != "time"}
        for each in found["metadata"].get("managedFields") or ()
        if each and (each["manager"] == "lastgood" and "subresource" not in each) == ours
    ]


def test_every_patch_holds_only_for_what_was_read() -> None:
    before = thing("5", {"replicas": 1}, {}, {"a": "1"}, [])
    live = thing("7", {"replicas": 2}, {}, {}, [])
    was = kept(before, {"metadata": {"annotations": {"a": "1"}}})
    assert was is not None
    condition = {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}
    assert way_back(live, was)[0] == condition


def test_what_was_not_there_has_no_way_back() -> None:
    assert kept(None, {"metadata": {}}) is None
