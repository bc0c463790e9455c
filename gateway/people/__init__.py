"""Whoever opens the page: accounts, links, tokens, sessions, the gate before it, and the audit list."""
