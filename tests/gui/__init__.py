"""Tests of the window, on a facade written by hand."""
