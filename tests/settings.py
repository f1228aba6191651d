"""The product's own settings, with parts of the tests' own: a database, a broker, fast password hashes."""

import os
import tempfile
from pathlib import Path

from tests import embedded

os.environ["ENV_FILE"] = os.devnull
os.environ.setdefault("DATABASE_URL", f"sqlite:///{Path(tempfile.gettempdir()) / f'tobiishi-{os.getuid()}.sqlite3'}")
os.environ.setdefault("REDIS_URL", embedded.valkey())
os.environ.update(
    SECRET_KEY="only-for-tests-" + "x" * 50,
    REDIS_KEY_PREFIX=f"tobiishi-test-{os.getpid()}",
    PUBLIC_URL="http://testserver",
    ALLOWED_HOSTS="testserver,127.0.0.1,localhost",
    ORGANIZATION_NAME="Hoshino Trading",
    CONTACT_NAME="Mio Tanabe",
    CONTACT_EMAIL="cloud@hoshino.example",
    EMAIL_URL="memorymail://",
    DATABASE_POOL_SIZE="0",
    LOG_LEVEL="WARNING",
)
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]

from portal.settings import *  # noqa: E402, F403
from portal.settings import DATABASES, STORAGES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: threads of a live server share it as the processes of the product do.
    DATABASES["default"]["TEST"] = {"NAME": f"{DATABASES['default']['NAME']}-{os.getpid()}"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
# Reads the static files where they lie: nothing is collected for tests.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
