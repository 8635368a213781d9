"""The scripts of the Automation documents, as modules; `build.py` concatenates what a step needs."""
