"""The API's own page. Its scripts come from an installed package: it works with no internet."""

from importlib.util import find_spec
from pathlib import Path

from litestar import Router
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import SwaggerRenderPlugin
from litestar.static_files import create_static_files_router

ASSETS = "/schema/assets"


def openapi(version: str) -> OpenAPIConfig:
    """Return how the API describes itself, at `/schema`."""
    return OpenAPIConfig(
        title="Panel Session Monitor",
        version=version,
        description="Watch and control the live browser sessions of Panel applications.",
        render_plugins=[
            SwaggerRenderPlugin(
                js_url=f"{ASSETS}/swagger-ui-bundle.js",
                css_url=f"{ASSETS}/swagger-ui.css",
                standalone_preset_js_url=f"{ASSETS}/swagger-ui-standalone-preset.js",
                favicon=f'<link rel="icon" href="{ASSETS}/favicon-32x32.png">',
            )
        ],
    )


def assets() -> Router:
    """Return the files of the page. Flask, which the package is made for, is never imported."""
    spec = find_spec("flask_swagger_ui")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("flask_swagger_ui")
    return create_static_files_router(
        path=ASSETS, directories=[Path(spec.origin).parent / "dist"], include_in_schema=False
    )
