"""The REST API on Litestar: routes for apps and operators, errors, documentation, lifespan."""
