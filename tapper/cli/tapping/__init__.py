"""What `tapper tap`, `tapper demo` and `tapper follow` share: where the records come from, and how they are shown.

`local` taps this machine; `showing` follows any feed on the terminal and says in the end what was seen.
"""
