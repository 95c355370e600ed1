"""An offer's SDP before aiortc sees it, and its answer after: candidates, simulcast. Pure text; reads untrusted
input."""

import ipaddress
from dataclasses import dataclass, field

MOST_CANDIDATES = 64


@dataclass(slots=True)
class Prepared:
    """An offer ready for aiortc.

    Attributes:
        sdp: without candidate lines.
        candidates: those that can be tried, `candidate:…`.
        rids: simulcast layers that a line offers to send, best first, by mid.
    """

    sdp: str
    candidates: list[str] = field(default_factory=list)
    rids: dict[str, list[str]] = field(default_factory=dict)


def usable(candidate: str) -> bool:
    """Whether a candidate can be tried at all.

    `….local` names (mDNS) take a second each to fail where multicast does not reach, as between a server and a home;
    the client's checks arrive anyway and are learnt as peer-reflexive. TCP is not spoken by the server. Loopback,
    unspecified and multicast addresses of a client are nobody's but ours.
    """
    words = candidate.removeprefix("a=").removeprefix("candidate:").split()
    if len(words) < 8 or words[2].lower() != "udp" or not (words[1].isdigit() and words[5].isdigit()):
        return False
    try:
        address = ipaddress.ip_address(words[4])
    except ValueError:
        return False
    if not 0 < int(words[5]) < 65536:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


def prepare(sdp: str) -> Prepared:
    """Takes candidates out of an offer (aiortc would keep only the last line's of a bundle) and reads its layers."""
    out: list[str] = []
    prepared = Prepared("")
    mid = ""
    for line in sdp.replace("\r\n", "\n").split("\n"):
        if line.startswith("m="):
            mid = ""
        elif line.startswith("a=mid:"):
            mid = line[6:].strip()
        elif line.startswith("a=candidate:"):
            text = line[2:].strip()
            known = prepared.candidates
            if usable(text) and text not in known and len(known) < MOST_CANDIDATES:
                known.append(text)
            continue
        elif line.startswith("a=end-of-candidates"):
            continue
        elif line.startswith("a=simulcast:send ") and mid:
            layers = line.removeprefix("a=simulcast:send ").split(" ")[0].split(";")
            # RFC 8853: alternatives of one layer stand behind commas, a paused one begins with "~".
            prepared.rids[mid] = [layer.split(",")[0].lstrip("~") for layer in layers if layer][:3]
        out.append(line)
    prepared.sdp = "\r\n".join(out)
    if not prepared.sdp.endswith("\r\n"):
        prepared.sdp += "\r\n"
    return prepared


BELOW = 1 << 8
"""One step of the local preference in a candidate's priority (RFC 8445 section 5.1.2.1)."""


def finish(answer: str, rids: dict[str, list[str]], reached: str = "") -> str:
    """The answer as it is sent.

    Args:
        rids: layers to accept, by mid.
        reached: the address of this server that the client's socket has reached, if known. A browser checks a pair
            every 50 ms, the best first: it shall begin with this one, not with each of the server's other networks.

    Layers of lines that offered some are accepted (RFC 8853); aiortc does not know them. What aiortc repeats on every
    line of the bundle, candidates and three fingerprints of one certificate, is said once: a third of the size.
    """
    out: list[str] = []
    first = True
    for line in answer.replace("\r\n", "\n").split("\n"):
        if line.startswith("m="):
            first = not any(known.startswith("m=") for known in out)
        if line.startswith(("a=fingerprint:sha-384", "a=fingerprint:sha-512")):
            continue
        if not first and line.startswith(("a=candidate:", "a=end-of-candidates")):
            continue
        if reached and line.startswith("a=candidate:") and f" {reached} " not in line:
            words = line.split(" ")
            words[3] = str(int(words[3]) - BELOW)
            line = " ".join(words)
        out.append(line)
        if line.startswith("a=mid:"):
            layers = rids.get(line[6:].strip())
            if layers:
                out += [f"a=rid:{rid} recv" for rid in layers]
                out.append("a=simulcast:recv " + ";".join(layers))
    return "\r\n".join(out)
