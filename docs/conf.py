"""How Sphinx builds the documentation: ``make docs``."""

project = "django-genlook"
author = "The django-genlook founders"
extensions = ["myst_parser"]
html_theme = "furo"
exclude_patterns = ["_build"]
