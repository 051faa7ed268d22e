"""Studies: each draws a conclusion from evidence, and writes it down with figures."""
