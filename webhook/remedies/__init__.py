"""The remedies, one to a module; webhook/catalogue.py gathers them."""
