"""The root of every address; `rollbacks` is named by string so that nothing here imports it."""

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path

from accounts.needs import ANYONE, needs
from dashboard import views
from dashboard.graphql.view import graphql
from dashboard.operating import views as operating

handler500 = "dashboard.failing.failed"
urlpatterns = [
    path("", views.services, name="services"),
    path("services/<int:service_id>/", views.service, name="service"),
    path("deployments/", views.deployments, name="deployments"),
    path("deployments/<int:deployment_id>/", views.deployment, name="deployment"),
    path("", include("accounts.urls")),
    path("", include("rollbacks.urls")),
    path("graphql", graphql, name="graphql"),
    path(
        "sign-in/",
        needs(ANYONE)(auth_views.LoginView.as_view(template_name="sign_in.html")),
        name="login",
    ),
    path("sign-out/", needs(ANYONE)(auth_views.LogoutView.as_view()), name="logout"),
    path("healthz", operating.healthz, name="healthz"),
    path("readyz", operating.readyz, name="readyz"),
    path("metrics", operating.metrics, name="metrics"),
    path("admin/", admin.site.urls),
]
