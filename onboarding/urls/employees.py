"""Addresses of the pages for employees."""

from django.urls import path

from onboarding.views.employees import access, client, computers, config, proving

app_name = "employees"
urlpatterns = [
    path("access/", access.access_page, name="access"),
    path("access/choices/", access.choose, name="choose"),
    path("access/config", config.download_config, name="config"),
    path("access/config/granted", config.download_granted, name="granted"),
    path("access/config/plain", config.download_plain, name="plain"),
    path("access/config/switch-roles", config.download_switch_roles, name="switch_roles"),
    path("access/copied/", config.config_copied, name="config_copied"),
    path("access/<uuid:uuid>/copied/", config.profile_copied, name="profile_copied"),
    path("access/<uuid:uuid>/prove/", proving.prove, name="prove"),
    path("access/<uuid:uuid>/prove/begin/", proving.begin, name="begin_proof"),
    path("access/<uuid:uuid>/prove/send/", proving.send, name="send_proof"),
    path("access/computers/connect/", computers.connect, name="connect"),
    path("access/computers/code/", computers.connect_by_code, name="connect_by_code"),
    path("access/computers/<uuid:uuid>/disconnect/", computers.disconnect, name="disconnect"),
    # What portal-config asks.
    path("client/portal-config", client.download, name="client_download"),
    path("client/device-code", client.ask_device_code, name="client_device_code"),
    path("client/token", client.token, name="client_token"),
    path("client/disconnect", client.disconnect, name="client_disconnect"),
    path("client/config", client.own_config, name="client_config"),
    path("client/proof/begin", client.begin_proof, name="client_begin_proof"),
    path("client/proof/send", client.send_proof, name="client_send_proof"),
]
