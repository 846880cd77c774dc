"""Signals: every way of saving a product marks it, whatever class it was saved through."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection, models, transaction
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.test import RequestFactory

from django_genlook import adapters, receivers
from django_genlook.adapters import ProductAdapter
from django_genlook.models import Product, Shopper
from django_genlook.services import products, shoppers
from example_project.shop.models import Product as ShopProduct
from tests.services.steps import mirror

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., Any]


@pytest.fixture
def models_for_a_while() -> Iterator[Callable[..., None]]:
    """Give model classes that a test defines their tables, and take the classes out of the registry afterwards."""
    made: list[type[models.Model]] = []
    known = dict(apps.all_models["shop"])
    registered = dict(adapters._registry)
    signals = {signal: list(signal.receivers) for signal in (post_save, post_delete, m2m_changed)}

    def make(*classes: type[models.Model]) -> None:
        with connection.schema_editor() as editor:
            for model in classes:
                editor.create_model(model)
                made.append(model)

    yield make
    for signal, before in signals.items():
        signal.receivers[:] = before
        signal.sender_receivers_cache.clear()
    adapters._registry.clear()
    adapters._registry.update(registered)
    with connection.schema_editor() as editor:
        for model in reversed(made):
            editor.delete_model(model)
    for name in set(apps.all_models["shop"]) - set(known):
        del apps.all_models["shop"][name]
    for name in ("specialproduct",):
        if name in ShopProduct.__dict__:
            delattr(ShopProduct, name)
    apps.clear_cache()


def test_a_proxy_and_a_child_class_are_products_too(make_product: Make, models_for_a_while: Any) -> None:
    class ProxyProduct(ShopProduct):
        class Meta:
            app_label = "shop"
            proxy = True

    class SpecialProduct(ShopProduct):
        class Meta:
            app_label = "shop"

    models_for_a_while(SpecialProduct)
    receivers.connect()

    product = make_product()
    before = mirror(product).revision
    ProxyProduct.objects.get(pk=product.pk).save()
    assert mirror(product).revision == before + 1

    special = SpecialProduct.objects.create(name="Special", slug="special", sku="SPECIAL", price=1)
    row = mirror(special)
    special.save()
    assert mirror(special).revision == row.revision + 1
    special.delete()
    row.refresh_from_db()
    assert row.is_deleted
    ProxyProduct.objects.get(pk=product.pk).delete()
    assert mirror(product).is_deleted


def test_many_to_many_changes_count_from_both_sides(models_for_a_while: Any) -> None:
    class Look(models.Model):  # noqa: DJ008 (for a while)
        class Meta:
            app_label = "shop"

    class Outfit(models.Model):  # noqa: DJ008 (for a while)
        looks = models.ManyToManyField(Look)

        class Meta:
            app_label = "shop"

    models_for_a_while(Look, Outfit)

    @adapters.register(Outfit)
    class OutfitTryOn(ProductAdapter):
        watch = ["looks"]

    receivers.connect()
    outfit, other = (Outfit._default_manager.create() for _ in range(2))
    look: Any = Look._default_manager.create()

    def revisions() -> list[int]:
        return [Product.objects.get(source=f"shop.outfit:{item.pk}").revision for item in (outfit, other)]

    def moved(act: Callable[[], Any]) -> list[int]:
        before = revisions()
        act()
        return [after - earlier for earlier, after in zip(before, revisions(), strict=True)]

    assert moved(lambda: outfit.looks.add(look)) == [1, 0]
    assert moved(lambda: outfit.looks.add(look)) == [0, 0]
    assert moved(lambda: look.outfit_set.add(other)) == [0, 1]
    assert moved(lambda: outfit.looks.remove(look)) == [1, 0]
    assert moved(lambda: outfit.looks.set([look])) == [1, 0]
    assert moved(lambda: look.outfit_set.clear()) == [1, 1]
    with transaction.atomic():
        outfit.looks.add(look)
        transaction.set_rollback(True)
    assert moved(lambda: None) == [0, 0]


def test_a_mark_that_fails_after_the_commit_does_not_fail_the_shop(
    make_product: Make, garment: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(references: Any) -> None:
        raise DatabaseError("the mirror is away")

    product = make_product(images=0)
    monkeypatch.setattr(products, "related_changed", broken)
    with transaction.atomic():
        product.images.create(original=ContentFile(garment, name="a.png"))
    product.images.create(original=ContentFile(garment, name="b.png"))
    assert product.images.count() == 2


def test_an_adapter_that_watches_what_is_no_relation_is_told_at_the_start(models_for_a_while: Any) -> None:
    class Shelf(models.Model):  # noqa: DJ008 (for a while)
        category = models.ForeignKey(ShopProduct, on_delete=models.CASCADE, related_name="+")

        class Meta:
            app_label = "shop"

    @adapters.register(Shelf)
    class ShelfTryOn(ProductAdapter):
        watch = ["category"]

    with pytest.raises(TypeError, match="category"):
        receivers.connect()


def test_a_model_has_one_adapter_and_a_model_without_one_says_so() -> None:
    with pytest.raises(ImproperlyConfigured, match="already has an adapter"):
        adapters.register(ShopProduct)(ProductAdapter)
    with pytest.raises(LookupError, match="register"):
        adapters.source_of(User())
    with pytest.raises(LookupError, match="register"):
        adapters.external_id_of(User())
    assert adapters.external_id_of(ShopProduct(sku=" A ")) == "A"
    assert adapters.external_id_of(Product(external_id="OWN")) == "OWN"


def test_connecting_twice_marks_once(make_product: Make) -> None:
    receivers.connect()
    product = make_product(images=0)
    before = mirror(product).revision
    product.save()
    assert mirror(product).revision == before + 1


def test_no_code_of_the_adapter_runs_while_a_product_is_saved(
    make_product: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: Any) -> None:
        raise AssertionError("the adapter was asked during the save")

    for name in ("read", "is_enabled", "get_queryset"):
        monkeypatch.setattr(ProductAdapter, name, never)
        monkeypatch.setattr(type(adapters.registered()[ShopProduct]), name, never)
    make_product().save()


def test_a_guest_who_logs_in_keeps_what_was_tried_on() -> None:
    session, user = SessionStore(), User.objects.create_user("ada")
    guest = shoppers.get_or_create(session, None)
    assert shoppers.get_or_create(session, None) == guest
    request = RequestFactory().get("/")
    request.session = session
    receivers.on_login(User, request, user)
    assert list(shoppers.find(None, user)) == [guest]
    assert not shoppers.find(session, None).exists(), "whoever uses this session after a logout is somebody else"
    receivers.on_login(User, None, user)


def test_a_shopper_of_one_account_is_never_given_to_another() -> None:
    session, ada, bob = SessionStore(), User.objects.create_user("ada"), User.objects.create_user("bob")
    guest = shoppers.get_or_create(session, None)
    shoppers.join(session, ada)
    shoppers.join(session, bob)
    assert list(shoppers.find(session, bob)) == []
    assert Shopper.objects.get(pk=guest.pk).user == ada
    theirs = shoppers.get_or_create(session, bob)
    assert theirs != guest
    assert theirs.user == bob


def test_a_session_that_was_tampered_with_is_nobodys() -> None:
    session = SessionStore()
    session[shoppers.SESSION_KEY] = "no uuid"
    assert not shoppers.find(session, None).exists()
    shoppers.join(session, User.objects.create_user("ada"))


def test_the_subject_is_random_and_not_the_sessions_key() -> None:
    session = SessionStore()
    session.create()
    shopper = shoppers.get_or_create(session, None)
    assert str(session.session_key) not in str(shopper.pk)
    assert session[shoppers.SESSION_KEY] == str(shopper.pk)
