"""From an identity provider's claims to roles: only what the mapping names is given; the rest of a claim is ignored.

The mapping is the setting `oidc_roles`, one rule a semicolon:

    truc-ban = operator:area=05482,05485 ; lanh-dao = city-admin ; bv-trung-uong = doctor:facility=BV01

Left stands a value of the claim (`oidc_claim`, `groups` unless said otherwise), right a role and, after a colon, where
it holds. City roles take areas, care roles facilities; a care role without a facility is refused, since "every
station's patients" is never what was meant.
"""

import re
from collections.abc import Mapping
from typing import Any

from tram.errors import SettingsError
from tram.identity.principal import Grant
from tram.identity.roles import CARE, GRANTABLE, Role
from tram.identity.scope import Scope

_CODE = re.compile(r"[A-Za-z0-9._-]{1,40}")


def parse_grant(text: str) -> Grant:
    """`role`, `role:area=a,b` or `role:facility=x`.

    Raises:
        SettingsError: one line that says what is wrong with it.
    """
    name, _, place = text.strip().partition(":")
    try:
        role = Role(name.strip())
    except ValueError:
        role = Role.MACHINE
    if role not in GRANTABLE:
        raise SettingsError(f"{name.strip()!r} is no role to give: {', '.join(sorted(GRANTABLE))}")
    sort, _, codes = place.partition("=")
    sort, listed = sort.strip(), [code.strip() for code in codes.split(",") if code.strip()]
    wanted = "facility" if role in CARE else "area"
    if place and (sort != wanted or not listed or not all(_CODE.fullmatch(code) for code in listed)):
        raise SettingsError(f"{text.strip()!r}: write {role}:{wanted}=CODE[,CODE…]")
    if role in CARE and not listed:
        raise SettingsError(f"{role} needs its facility: {role}:facility=CODE")
    if role in CARE:
        return Grant(role, Scope(facilities=frozenset(listed)))
    return Grant(role, Scope(areas=frozenset(listed) if listed else None))


def parse_mapping(text: str) -> dict[str, tuple[Grant, ...]]:
    """The setting `oidc_roles` as claim value -> grants.

    Raises:
        SettingsError: one line that names the wrong rule.
    """
    mapping: dict[str, tuple[Grant, ...]] = {}
    for rule in (part.strip() for part in text.split(";") if part.strip()):
        value, arrow, grant = rule.partition("=")
        if not arrow or not value.strip():
            raise SettingsError(f"oidc_roles: {rule!r} is not `claim value = role[:area=…|:facility=…]`")
        try:
            mapping[value.strip()] = (*mapping.get(value.strip(), ()), parse_grant(grant))
        except SettingsError as error:
            raise SettingsError(f"oidc_roles: {error}") from None
    return mapping


def grants(claims: Mapping[str, Any], claim: str, mapping: Mapping[str, tuple[Grant, ...]]) -> tuple[Grant, ...]:
    """The grants that the claims give. A claim of another form than a text or a list of texts gives nothing."""
    value: Any = claims
    for part in claim.split("."):  # Keycloak nests them: realm_access.roles
        value = value.get(part) if isinstance(value, Mapping) else None
    values = value if isinstance(value, list) else [value]
    given = [grant for one in values if isinstance(one, str) for grant in mapping.get(one, ())]
    return tuple(dict.fromkeys(given))
