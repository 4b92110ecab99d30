"""The house rules as code: what they forbid, and what to write instead."""
