"""Tests of the room of survival."""
