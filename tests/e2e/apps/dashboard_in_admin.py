"""A plug-in for `panel serve --admin`: the dashboard on the fake operator, in Panel's own admin."""

import panel as pn

from tests.e2e.apps import dashboard_on_fake

ROUTES = dashboard_on_fake.ROUTES

pn.config.admin_plugins.append(("Sessions", dashboard_on_fake.dashboard.panel))
