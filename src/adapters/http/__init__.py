"""The REST API: routes, errors and its documentation page."""
