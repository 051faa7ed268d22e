"""What a sweep or a comparison came to: statistics, tables, sentences and figures."""
