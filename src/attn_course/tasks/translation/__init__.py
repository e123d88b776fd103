"""English, French and German sentences of a small grammar."""
