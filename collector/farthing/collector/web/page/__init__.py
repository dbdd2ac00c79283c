"""The page: the dashboards of the catalogue in a browser, with nothing to install."""
