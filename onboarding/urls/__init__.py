"""Addresses, one module for each audience."""

from django.urls import include, path

from onboarding.views import health, home, preferences

app_name = "onboarding"
urlpatterns = [
    path("", home.home, name="home"),
    path("settings/", preferences.settings_page, name="settings"),
    path("help/", home.help_page, name="help"),
    path("help/genuine/", home.genuine, name="genuine"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("onboarding.urls.admins")),
    path("", include("onboarding.urls.employees")),
    path("", include("onboarding.urls.partners")),
]
