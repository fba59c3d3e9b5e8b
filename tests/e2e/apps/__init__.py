"""Small Panel apps under test."""
