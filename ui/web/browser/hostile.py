"""Writes a capture whose every text wants to run in the browser that shows it: python hostile.py PATH."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.cli.traffic import Traffic

SCRIPT = b"<script>window.ran='script'</script><img src=x onerror=\"window.ran='img'\">"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload=\"window.ran='svg'\"><script>window.ran='svg'</script></svg>"


def main(path: Path) -> None:
    """Calls whose paths, headers, hosts, statuses and bodies are markup, script and control characters."""
    traffic = Traffic()
    for kind, body in ((b"text/html", SCRIPT), (b"image/svg+xml", SVG), (b"application/json", b'{"a":"%s"}' % SCRIPT)):
        traffic.call(
            b"POST /%3Cb%3E<img/src=x/onerror=window.ran='path'> HTTP/1.1\r\nHost: javascript:window.ran='host'\r\n"
            b"X-Evil: \x1b[31mred\x07\r\nX-Kind: \xe2\x80\xae<i>kind</i>\r\nContent-Type: "
            + kind
            + b"\r\nContent-Length: "
            b"%d\r\n\r\n%s" % (len(body), body),
            b"HTTP/1.1 500 <u>no</u>\r\nX-Evil: \x9b2J<svg/onload=window.ran='header'>\r\nContent-Type: "
            + kind
            + b"\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body),
        )
    traffic.write(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
