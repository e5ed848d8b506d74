"""Organs: vasopressors as noradrenaline equivalents, SOFA over time, suspected infection and Sepsis-3."""
