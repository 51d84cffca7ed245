"""Registers the app under its plain name."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"
