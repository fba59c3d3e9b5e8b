"""The dashboard: what operators see, fed through the Operator port alone."""
