"""The rule that each message and endpoint of the care plane is under (tram.identity.operations).

What lets somebody in is the join token, which the API makes for whom `consult.join` allows it
(services/api/consults.py); after that the rule of every message is decided anew, by the roles and assignments of that
moment (`telehealth.rights.PeopleRights`): the table here says which rule, a test compares it with what is asked.
"""

from collections.abc import Mapping

MESSAGES: Mapping[str, str] = {
    "hello": "consult.join",
    "offer": "consult.join",
    "candidate": "consult.join",
    "close_pc": "consult.join",
    "media": "consult.join",
    "receive": "consult.join",
    "chat": "consult.join",
    "pointer": "consult.join",
    "admit": "consult.lead",
    "refuse": "consult.lead",
    "hand_over": "consult.lead",
    "end": "consult.lead",
    "leave": "consult.join",
    "stats": "consult.join",
    "ping": "consult.join",
}
"""Type of a client's WebSocket message on /consult -> operation."""

ENDPOINTS: Mapping[str, str] = {
    "POST /consult/api/demo": "consult.demo",
    "HEAD /consult/api/link": "open.read",
    "GET /consult/api/link/down": "open.read",
    "POST /consult/api/link/up": "open.read",
    "POST /consult/api/link/echo": "open.read",
    "GET /consult/api/quality/stations": "consult.quality",
    "GET /consult/api/quality/consults/{consult}": "consult.quality",
    "GET /healthz": "open.read",
    "GET /readyz": "open.read",
    "GET /metrics": "open.read",
    "GET /": "open.read",
}
"""Endpoint -> operation."""
