"""For whoever watches the process: is it alive, and can it work?"""

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from redis import Redis, RedisError

from onboarding.permissions import open_to_anyone


@open_to_anyone
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """The process answers; a restart would not help against anything else."""
    return JsonResponse({"status": "ok"})


@open_to_anyone
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """503 where the database is away. A broker that is away is told, and does not stop the pages."""
    database, broker = _database_answers(), _broker_answers()
    answer = {"database": "ok" if database else "away", "broker": "ok" if broker else "away"}
    return JsonResponse(answer, status=200 if database else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _broker_answers() -> bool:
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as redis:
            return bool(redis.ping())
    except RedisError:
        return False
