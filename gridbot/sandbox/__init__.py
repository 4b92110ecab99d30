"""The sandbox exchange: a program of its own that speaks an exchange's protocol on loopback; it knows no other room."""
