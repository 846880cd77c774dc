"""Sound pictures, damaged at random: whatever comes in, a clean picture or a rejection comes out.

``GENLOOK_TEST_MUTATIONS=8000`` runs more than the gate does, ``GENLOOK_TEST_SEED`` others.
"""

import io
import os
import random

import pytest

from django_genlook.exceptions import Rejected
from django_genlook.images import Header, inspect
from tests.images.pictures import outcome
from tests.images.test_hostile import SOUND

COUNT = int(os.environ.get("GENLOOK_TEST_MUTATIONS", "210"))
SEED = int(os.environ.get("GENLOOK_TEST_SEED", "20260101"))


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One to four small damages; half of them in the first 256 bytes, where the headers are."""
    damaged = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(min(len(damaged), 256 if chance.random() < 0.5 else len(damaged)) or 1)
        length = chance.choice((1, 2, 4, 16, 64))
        match chance.randrange(6):
            case 0:
                damaged[at : at + 1] = bytes([damaged[at] ^ 1 << chance.randrange(8)]) if damaged else b"\0"
            case 1:
                damaged[at : at + length] = chance.randbytes(length)
            case 2:
                damaged[at : at + length] = chance.choice((b"\0", b"\xff", b"\x7f", b"\x80")) * length
            case 3:
                del damaged[at : at + length]
            case 4:
                damaged[at:at] = damaged[at : at + length]
            case 5:
                damaged[at:at] = chance.randbytes(length)
    return bytes(damaged)


@pytest.mark.parametrize("name", SOUND)
def test_a_damaged_picture_is_a_clean_picture_or_a_rejection(name: str) -> None:
    data = SOUND[name]()
    for number in range(COUNT // len(SOUND)):
        seed = f"{SEED} {name} {number}"
        try:
            outcome(mutated(data, random.Random(seed)))
        except BaseException as error:
            error.add_note(f"SEED={seed!r}")
            raise


@pytest.mark.parametrize("name", SOUND)
def test_a_damaged_picture_has_a_header_or_is_rejected(name: str) -> None:
    data = SOUND[name]()
    for number in range(COUNT * 10):
        seed = f"{SEED} {name} header {number}"
        damaged = mutated(data[: random.Random(seed).randrange(32, len(data))], random.Random(seed))
        try:
            assert isinstance(inspect(io.BytesIO(damaged), len(damaged)), Header)
        except Rejected as rejected:
            assert rejected.code in {"INVALID_IMAGE", "UNSUPPORTED_IMAGE_TYPE"}
        except BaseException as error:
            error.add_note(f"SEED={seed!r}")
            raise


def test_the_damages_are_of_both_kinds() -> None:
    data = SOUND["PNG"]()
    passed = 0
    for number in range(300):
        damaged = mutated(data, random.Random(number))
        assert damaged != data or number
        try:
            inspect(io.BytesIO(damaged), len(damaged))
        except Rejected:
            continue
        passed += 1
    assert 30 < passed < 270
