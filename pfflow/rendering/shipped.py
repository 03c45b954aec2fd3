"""Where the templates that come with the product are: in a checkout, and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

import pfflow


def shipped_templates() -> Path:
    """Give the folder of shipped templates: inside the installed package, or at the root of the checkout."""
    package = Path(pfflow.__file__).parent
    installed = package / "shipped" / "templates"
    return installed if installed.is_dir() else package.parent / "templates"
