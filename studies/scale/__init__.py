"""What limits a million runs: measured on a PostgreSQL here, simulated for up to 256 workers (see ../scale.md)."""
