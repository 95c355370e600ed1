"""The roles: what somebody is to Trạm. What each may do stands in operations.py, where in scope.py."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """A role; its value is what the database, tokens and claims hold."""

    CITIZEN = "citizen"
    OPERATOR = "operator"
    CITY_ADMIN = "city-admin"
    STATION_STAFF = "station-staff"
    DOCTOR = "doctor"
    HOSPITAL_ADMIN = "hospital-admin"
    AUDITOR = "auditor"
    DEVICE = "device"
    MACHINE = "machine"
    """Who commands the server itself (`tram …` by the system's owner, and the planes). Never granted to anybody."""


class Label(NamedTuple):
    vi: str
    en: str


LABELS: Mapping[Role, Label] = {
    Role.CITIZEN: Label("Người dân", "Citizen"),
    Role.OPERATOR: Label("Trực vận hành", "Operator"),
    Role.CITY_ADMIN: Label("Quản trị tỉnh", "City admin"),
    Role.STATION_STAFF: Label("Nhân viên trạm y tế", "Station staff"),
    Role.DOCTOR: Label("Bác sĩ", "Doctor"),
    Role.HOSPITAL_ADMIN: Label("Quản trị bệnh viện", "Hospital admin"),
    Role.AUDITOR: Label("Kiểm toán", "Auditor"),
    Role.DEVICE: Label("Thiết bị", "Device"),
    Role.MACHINE: Label("Máy chủ", "Server"),
}

GRANTABLE = frozenset(Role) - {Role.CITIZEN, Role.DEVICE, Role.MACHINE}
"""What a person can be given. Everybody is a citizen; devices and the server are never people."""

CARE = frozenset({Role.STATION_STAFF, Role.DOCTOR, Role.HOSPITAL_ADMIN})
"""The roles of the care plane: their scope is a facility. Those of the city plane have areas."""

SECOND_FACTOR = frozenset({Role.CITY_ADMIN, Role.DOCTOR, Role.HOSPITAL_ADMIN, Role.AUDITOR})
"""Roles that must enrol a second factor where the setting `totp_required` is on (it is in production)."""
