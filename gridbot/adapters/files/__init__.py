"""What gridbot keeps on disk about its accounts: one adapter, over the Disk port, so that a model can replace it."""
