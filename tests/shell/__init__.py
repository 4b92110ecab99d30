"""The shell over the simulated venue, in virtual time: no real sleep, no network, no window."""
