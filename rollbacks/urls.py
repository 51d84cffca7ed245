"""Addresses of what changes things; `dashboard` names them, and imports nothing from here."""

from django.urls import path

from rollbacks import views

urlpatterns = [
    path("deployments/<int:deployment_id>/menu/", views.menu, name="deployment_menu"),
    path("deployments/<int:deployment_id>/controls/", views.controls, name="deployment_controls"),
    path("deployments/<int:deployment_id>/rollback/", views.rollback, name="rollback"),
    path("deployments/<int:deployment_id>/drift/", views.drift, name="drift"),
    path("deployments/<int:deployment_id>/rerun/", views.rerun, name="rerun"),
    path("deployments/<int:deployment_id>/abort/", views.abort, name="abort"),
    path("deployments/<int:deployment_id>/resume/", views.resume, name="resume"),
    path("deployments/<int:deployment_id>/decide/<str:action>/", views.decide, name="decide"),
    path("services/<int:service_id>/execute/", views.execute, name="execute"),
    path("targets/<int:target_id>/refresh/", views.refresh, name="refresh_target"),
]
