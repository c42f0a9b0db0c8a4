"""What `tapper tap`, `tapper demo` and `tapper follow` share: where the records come from, and how they are shown.

`cluster` taps pods, `local` this machine; `showing` follows any feed on the terminal and says in the end what was seen.
"""
