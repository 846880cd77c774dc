"""Speaks HTTP to Genlook: one method for each endpoint, our exceptions only. Nothing is retried here."""

from django_genlook.client.addresses import check_public_url
from django_genlook.client.answers import (
    GenerationState,
    ProductPage,
    ProductStats,
    RemoteProduct,
    StartedGeneration,
    UploadedImage,
)
from django_genlook.client.api import Client
from django_genlook.client.download import download_image
from django_genlook.client.errors import error_from_answer
from django_genlook.client.payloads import JSON, UNSET, Picture, PictureBytes, PictureUrl, TryOnProduct, Unset

__all__ = [
    "JSON",
    "UNSET",
    "Client",
    "GenerationState",
    "Picture",
    "PictureBytes",
    "PictureUrl",
    "ProductPage",
    "ProductStats",
    "RemoteProduct",
    "StartedGeneration",
    "TryOnProduct",
    "Unset",
    "UploadedImage",
    "check_public_url",
    "download_image",
    "error_from_answer",
]
