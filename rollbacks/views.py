"""What people click. Loads through what the actor may see (404), acts through actions (403)."""

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts import policy
from accounts.models import User
from accounts.needs import ABORT_WORKFLOW, EXECUTE_WORKFLOW, RESUME, ROLLBACK, VISIBLE, needs
from accounts.vocabulary import AccountPermission
from dashboard import queries
from dashboard.models import Deployment, Service, Target
from rollbacks import actions, drifts, menus
from rollbacks.eligibility import Refusal, Refused
from rollbacks.forms import ExecuteForm, RollbackForm
from rollbacks.plan import Configuration
from rollbacks.strategies import FailureAction


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # LoginRequiredMiddleware
    return request.user


def _deployment(request: HttpRequest, deployment_id: int) -> Deployment:
    visible = Deployment.objects.visible_to(_actor(request)).with_names()
    return get_object_or_404(
        visible.select_related(
            "revision",
            "replaces__artifact",
            "workflow__current_revision__created_by",
            "target__current_deployment",
            "target__latest_deployment",
            "target__infrastructure__connector",
        ),
        pk=deployment_id,
    )


@needs(VISIBLE)
@require_GET
@vary_on_headers("HX-Request")
def menu(request: HttpRequest, deployment_id: int) -> HttpResponse:
    """The ⋮ menu: a fragment for htmx, a page of its own without JavaScript."""
    deployment = _deployment(request, deployment_id)
    items = menus.of_panel(deployment, _actor(request), timezone.now())
    template = "rollbacks/_menu.html" if _is_htmx(request) else "rollbacks/menu.html"
    return render(request, template, {"deployment": deployment, "items": items})


@needs(VISIBLE)
@require_GET
@vary_on_headers("HX-Request")
def controls(request: HttpRequest, deployment_id: int) -> HttpResponse:
    """The buttons of the deployment's page: a fragment, or a page without JavaScript."""
    deployment = _deployment(request, deployment_id)
    items = menus.of_page(deployment, _actor(request), timezone.now())
    template = "rollbacks/_controls.html" if _is_htmx(request) else "rollbacks/menu.html"
    return render(request, template, {"deployment": deployment, "controls": items, "items": items})


@needs(ROLLBACK)
@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
def rollback(request: HttpRequest, deployment_id: int) -> HttpResponse:
    """The confirmation dialog, and the confirmation."""
    deployment = _deployment(request, deployment_id)
    if request.method == "POST":
        return _confirm(request, deployment)
    configuration = _configuration(request)
    form = RollbackForm(initial={"configuration": configuration.value})
    return _dialog(request, deployment, configuration, form)


def _configuration(request: HttpRequest) -> Configuration:
    wanted = request.GET.get("configuration", "")
    known = wanted in Configuration._value2member_map_
    return Configuration(wanted) if known else Configuration.CURRENT


def _confirm(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    form = RollbackForm(request.POST)
    if not form.is_valid():
        configuration = form.cleaned_data.get("configuration", Configuration.CURRENT)
        return _dialog(request, deployment, configuration, form, status=422)
    given = form.cleaned_data
    asked = actions.RollbackRequest(
        seen=given["fingerprint"],
        configuration=given["configuration"],
        note=given["note"],
        freeze_override=given["freeze_override"],
    )
    try:
        started = actions.roll_back(deployment.pk, _actor(request), asked, timezone.now())
    except (actions.PlanChanged, Refused):
        # What is true now is shown in its place, with what was filled in; nothing was started.
        fresh = _deployment(request, deployment.pk)
        again = RollbackForm(initial={**given, "configuration": asked.configuration.value})
        return _dialog(request, fresh, asked.configuration, again, status=409)
    return _go(request, reverse("deployment", args=[started.pk]))


def _dialog(
    request: HttpRequest,
    deployment: Deployment,
    configuration: Configuration,
    form: RollbackForm,
    *,
    status: int = 200,
) -> HttpResponse:
    actor, now = _actor(request), timezone.now()
    planned, refusals = actions.confirmation(deployment, actor, configuration, now)
    if planned:
        form.initial["fingerprint"] = planned.fingerprint
    context = {
        "deployment": deployment,
        "plan": planned,
        "refusals": refusals,
        "form": form,
        "is_stale": status == 409,
        "drift_url": f"{reverse('drift', args=[deployment.pk])}?configuration={configuration}",
        "may_override_freeze": policy.holds(
            actor, AccountPermission.ALLOW_DEPLOYMENTS_DURING_FREEZE
        ),
    }
    template = "rollbacks/_dialog.html" if _is_htmx(request) else "rollbacks/rollback.html"
    return render(request, template, context, status=status)


@needs(VISIBLE)
@require_GET
@vary_on_headers("HX-Request")
def drift(request: HttpRequest, deployment_id: int) -> HttpResponse:
    """How what runs now differs from what the deployment left, and what undoing it would do there;
    asks the live platform."""
    deployment, now = _deployment(request, deployment_id), timezone.now()
    context = {
        "deployment": deployment,
        "drift": drifts.drift(deployment, now),
        "outlook": drifts.outlook(deployment, _actor(request), _configuration(request), now),
    }
    template = "rollbacks/_drift.html" if _is_htmx(request) else "rollbacks/drift.html"
    return render(request, template, context)


@needs(EXECUTE_WORKFLOW)
@require_POST
def rerun(request: HttpRequest, deployment_id: int) -> HttpResponse:
    deployment = _deployment(request, deployment_id)
    started = actions.rerun(deployment, _actor(request), timezone.now())
    return _go(request, reverse("deployment", args=[started.pk]))


@needs(ABORT_WORKFLOW)
@require_POST
def abort(request: HttpRequest, deployment_id: int) -> HttpResponse:
    return _act(request, deployment_id, actions.abort)


@needs(RESUME)
@require_POST
def resume(request: HttpRequest, deployment_id: int) -> HttpResponse:
    return _act(request, deployment_id, actions.resume)


@needs(RESUME)
@require_POST
def decide(request: HttpRequest, deployment_id: int, action: str) -> HttpResponse:
    """Say what follows a failed step."""
    if action not in FailureAction._value2member_map_:
        raise Http404
    return _act(request, deployment_id, partial(actions.decide, action=FailureAction(action)))


def _act(request: HttpRequest, deployment_id: int, act: Callable[..., None]) -> HttpResponse:
    deployment = _deployment(request, deployment_id)
    act(deployment, actor=_actor(request), now=timezone.now())
    return _go(request, reverse("deployment", args=[deployment.pk]))


@needs(EXECUTE_WORKFLOW)
@require_http_methods(["GET", "POST"])
def execute(request: HttpRequest, service_id: int) -> HttpResponse:
    """Execute a workflow of the service with a chosen artifact."""
    actor = _actor(request)
    service = get_object_or_404(
        Service.objects.visible_to(actor).select_related("application"), pk=service_id
    )
    allowed = queries.may_execute(service, actor)
    policy.require(allowed, f"Execute Workflow on an environment of {service.application}")
    form = ExecuteForm(service, actor, request.POST if request.method == "POST" else None)
    refusals: tuple[Refusal, ...] = ()
    if form.is_valid():
        data = form.cleaned_data
        try:
            started = actions.execute(
                data["workflow"], data["infrastructure"], data["artifact"], data["variables"],
                actor, timezone.now(), note=data["note"],
            )  # fmt: skip
            return _go(request, reverse("deployment", args=[started.pk]))
        except Refused as refused:
            refusals = refused.refusals
    context = {"service": service, "form": form, "refusals": refusals}
    status = 409 if refusals else 422 if form.is_bound else 200
    return render(request, "rollbacks/execute.html", context, status=status)


@needs(VISIBLE)
@require_POST
def refresh(request: HttpRequest, target_id: int) -> HttpResponse:
    """Ask for a look at the target; the panel shows the result when it is there."""
    visible = Target.objects.visible_to(_actor(request))
    target = get_object_or_404(visible.select_related("infrastructure__environment"), pk=target_id)
    actions.refresh(target, _actor(request))
    if _is_htmx(request):
        return HttpResponse(status=204)
    messages.info(request, "Looking at what runs now; this page shows it in a moment.")
    return redirect("service", target.service_id)


def refused(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """A refusal nobody caught, as a page: see middleware."""
    if isinstance(error, policy.Denied):
        context = {"title": "You may not do this", "sentence": str(error)}
        return render(request, "rollbacks/message.html", context, status=403)
    if isinstance(error, Refused):
        first = error.refusals[0]
        context = {
            "title": "This cannot be done now",
            "sentence": first.sentence,
            "remedy": first.remedy,
            "url": first.url,
            "link_text": first.link_text,
        }
        return render(request, "rollbacks/message.html", context, status=409)
    return None


def _is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def _go(request: HttpRequest, url: str) -> HttpResponse:
    """Lead the browser on, with htmx and without."""
    if _is_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)
