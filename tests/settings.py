"""Settings of the test suite: the example shop, its database on a file so that threads and processes can share it."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from example_project.settings import *

ROOT = Path(tempfile.mkdtemp(prefix="genlook-tests-"))
atexit.register(shutil.rmtree, ROOT, ignore_errors=True)
SECRET_KEY = "tests-only"
DEBUG = False
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MEDIA_ROOT = ROOT / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(MEDIA_ROOT)}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "genlook": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(ROOT / "private"), "base_url": None},
    },
}
GENLOOK = {"API_KEY": "gk_sandbox", "BASE_URL": "http://127.0.0.1:9/tryon/v1"}

match os.environ.get("GENLOOK_TEST_DATABASE", "sqlite"):
    case "postgres":
        DATABASES = {
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": os.environ.get("PGDATABASE", "postgres"),
                "HOST": os.environ.get("PGHOST", "127.0.0.1"),
                "PORT": os.environ.get("PGPORT", "5432"),
                "USER": os.environ.get("PGUSER", "postgres"),
                "PASSWORD": os.environ.get("PGPASSWORD", ""),
            }
        }
    case "mariadb":
        DATABASES = {
            "default": {
                "ENGINE": "django.db.backends.mysql",
                "NAME": "test",
                "HOST": "localhost",
                "USER": "root",
                "OPTIONS": {"charset": "utf8mb4"},
            }
        }
    case _:
        DATABASES = {
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(ROOT / "db.sqlite3"),
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "timeout": 20,
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
                },
                # The in-memory test database ignores the time-out.
                "TEST": {"NAME": str(ROOT / "test.sqlite3")},
            }
        }
