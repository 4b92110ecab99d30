"""Live trading end to end: real processes, real ccxt, real HTTP and websocket, against the sandbox exchange."""
