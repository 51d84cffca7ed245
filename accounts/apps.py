"""Registers the app under its plain name, and the admin with Lastgood's site."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class AccountsConfig(AppConfig):
    name = "accounts"


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin; who may enter it is decided in `accounts.site`."""

    default = False
    default_site = "accounts.site.LastgoodAdminSite"
