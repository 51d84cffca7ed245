"""Addresses of the audit trail."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("audit/", views.audit, name="audit"),
    path("audit/export.<str:kind>", views.audit_export, name="audit_export"),
    path("audit/verify/", views.audit_verify, name="audit_verify"),
]
