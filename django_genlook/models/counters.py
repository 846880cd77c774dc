"""The small counters behind ``budgets``."""

from django.db import models

from django_genlook.models.clock import db_now


class Account(models.Model):
    """What is known about the Genlook account behind one key (kept as a digest), and that key's request window."""

    key_digest = models.CharField(max_length=64, unique=True)
    credit_balance = models.IntegerField(null=True)
    balance_at = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)
    pauses = models.PositiveIntegerField(default=0)
    scanned_at = models.DateTimeField(null=True)
    tidied_at = models.DateTimeField(null=True)
    asked = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return self.key_digest[:12]


class RequestSlot(models.Model):
    """A request that was let through: one entry of the sliding log."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="slots")
    is_background = models.BooleanField()
    at = models.DateTimeField(default=db_now)

    class Meta:
        indexes = [models.Index(fields=["account", "at"], name="genlook_slot_at")]

    def __str__(self) -> str:
        return str(self.at)


class Breaker(models.Model):
    """An open circuit breaker: what it holds back, why, and when to ask Genlook again. Closed = no row."""

    name = models.CharField(max_length=20)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="breakers")
    code = models.CharField(max_length=64)
    probes = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(default=db_now)
    next_probe_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="genlook_breaker_once")]

    def __str__(self) -> str:
        return self.name


class Usage(models.Model):
    """How much of one quota or budget (``scope``) is used in one period (its first second since 1970)."""

    scope = models.CharField(max_length=100)
    period = models.BigIntegerField()
    used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "period"], name="genlook_usage_once")]

    def __str__(self) -> str:
        return self.scope
