"""The history of an account in SQLite: a read model that its journals can make anew at any time."""
