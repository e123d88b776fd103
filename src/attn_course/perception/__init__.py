"""How humans attend: eye and ear."""
