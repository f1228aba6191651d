"""An OpenID Connect provider in a process of its own, which holds every sign-in to PKCE as a strict one does."""

import base64
import hashlib
import logging
import sys
from urllib.parse import parse_qs, urlsplit

import flask
import oidc_provider_mock


def strict_provider() -> flask.Flask:
    app = oidc_provider_mock.app()
    challenges: dict[str, str] = {}

    @app.after_request
    def remember_the_challenge(response: flask.Response) -> flask.Response:
        asked, answered = flask.request.args, parse_qs(urlsplit(response.headers.get("Location", "")).query)
        if "code" in answered and asked.get("code_challenge_method") == "S256":
            challenges[answered["code"][0]] = asked["code_challenge"]
        return response

    @app.before_request
    def compare_the_verifier() -> None:
        if flask.request.path == "/oauth2/token":
            digest = hashlib.sha256(flask.request.form.get("code_verifier", "").encode()).digest()
            challenge = challenges.pop(flask.request.form["code"], "")
            if challenge != base64.urlsafe_b64encode(digest).decode().rstrip("="):
                flask.abort(400)

    return app


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    strict_provider().run(host="127.0.0.1", port=int(sys.argv[1]), use_reloader=False)
