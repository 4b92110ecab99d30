"""Hand-written fakes of the ports: small, true to their contract, and in memory."""
