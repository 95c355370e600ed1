"""What each user may do at mosquitto, as its dynamic-security plugin takes it, and what to change there. Pure.

Each user has one role of the same name with its topics; nothing is allowed that no role names. A subscription is
refused (SUBACK 0x80) unless the user's own filter covers it whole. Passwords are not here: mosquitto checks them
against its password file (tram.identity.broker), so that the plugin's file holds no secret.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tram.identity.broker import BrokerUser, CredentialError, is_user

CONTROL = "control"
"""The user that changes the rules; its role is never touched."""
TOPIC = "$CONTROL/dynamic-security/v1"
RESPONSE = f"{TOPIC}/response"
_SEND, _RECEIVE, _SUBSCRIBE = "publishClientSend", "publishClientReceive", "subscribePattern"
_DEFAULTS = {"publishClientSend": False, "publishClientReceive": False, "subscribe": False, "unsubscribe": True}
_FILTER = re.compile(r"[^\x00-\x1f\x7f]{1,512}")

Rule = tuple[str, str]
"""(sort of access, topic filter)."""
Rules = Mapping[str, frozenset[Rule]]
"""User -> what it may do."""


def rules(users: Iterable[BrokerUser]) -> dict[str, frozenset[Rule]]:
    """What these users may do.

    Raises:
        CredentialError: a name or topic cannot stand in the broker's rules.
    """
    found: dict[str, frozenset[Rule]] = {}
    for user in users:
        if not is_user(user.name) or user.name == CONTROL:
            raise CredentialError(f"{user.name[:60]!r} cannot be a user of the broker")
        for topic in (*user.write, *user.read):
            if not _FILTER.fullmatch(topic) or not topic.isprintable() or topic != topic.strip():
                raise CredentialError(f"a topic of {user.name[:60]!r} cannot stand in the broker's rules")
        found[user.name] = frozenset(
            [(_SEND, topic) for topic in user.write]
            + [(_RECEIVE, topic) for topic in user.read if not topic.startswith("$share/")]
            + [(_SUBSCRIBE, topic) for topic in user.read]
        )
    return found


def document(wanted: Rules) -> dict[str, Any]:
    """The plugin's file, for a broker that has none yet."""
    control = frozenset({(_SEND, f"{TOPIC}/#"), (_SEND, TOPIC), (_RECEIVE, RESPONSE), (_SUBSCRIBE, RESPONSE)})
    every = {**wanted, CONTROL: control}
    return {
        "defaultACLAccess": _DEFAULTS,
        "clients": [{"username": name, "roles": [{"rolename": name}]} for name in every],
        "groups": [],
        "roles": [{"rolename": name, "acls": _acls(held)} for name, held in every.items()],
    }


def changes(wanted: Rules, roles: Rules, clients: Mapping[str, tuple[str, ...]]) -> list[dict[str, Any]]:
    """The commands that make the broker's rules what is wanted; what is taken away stands first.

    Args:
        roles, clients: what the broker has: role -> rules, user -> its roles.
    """
    made: list[dict[str, Any]] = []
    for name in sorted(clients.keys() - wanted.keys() - {CONTROL}):
        made.append({"command": "deleteClient", "username": name})
    for name in sorted(roles.keys() - wanted.keys() - {CONTROL}):
        made.append({"command": "deleteRole", "rolename": name})
    for name in sorted(wanted):
        if name not in roles:
            made.append({"command": "createRole", "rolename": name, "acls": _acls(wanted[name])})
        elif roles[name] != wanted[name]:
            made.append({"command": "modifyRole", "rolename": name, "acls": _acls(wanted[name])})
        if name not in clients:
            made.append({"command": "createClient", "username": name, "roles": [{"rolename": name}]})
        elif clients[name] != (name,):
            made.append({"command": "modifyClient", "username": name, "roles": [{"rolename": name}]})
    return made


def defaults() -> dict[str, Any]:
    """The command that makes everything refused that no role names."""
    return {
        "command": "setDefaultACLAccess",
        "acls": [{"acltype": sort, "allow": allow} for sort, allow in _DEFAULTS.items()],
    }


def roles_of(listed: Iterable[Mapping[str, Any]]) -> dict[str, frozenset[Rule]]:
    """Role -> rules, from what the broker lists. A rule that denies, or has another priority, is not one of ours."""
    return {
        role["rolename"]: frozenset(
            (acl["acltype"], acl["topic"]) if acl.get("allow") and not acl.get("priority") else ("foreign", "")
            for acl in role.get("acls", ())
        )
        for role in listed
    }


def clients_of(listed: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """User -> its roles, from what the broker lists; groups count as a role that is not ours."""
    return {
        client["username"]: tuple(role["rolename"] for role in client.get("roles", ()))
        + tuple(f"group {group['groupname']}" for group in client.get("groups", ()))
        for client in listed
    }


def _acls(held: Iterable[Rule]) -> list[dict[str, Any]]:
    return [{"acltype": sort, "topic": topic, "priority": 0, "allow": True} for sort, topic in sorted(held)]
