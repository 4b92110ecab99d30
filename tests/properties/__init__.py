"""What must hold of the engine on any candles, any grid and any history."""
