"""The kidney: equations, injury by KDIGO, clearance over time."""
