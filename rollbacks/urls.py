"""Addresses of what changes things."""

urlpatterns: list = []
