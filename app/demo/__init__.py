"""The demo community: told as a story of commands, from `elm.txt` and `mill.txt`.

Door: `python -m app.demo`. Every loan goes through the commands that the pages use, in the order
in which it would have happened, so that events, rooms, prices and dates are what they would be.
"""
