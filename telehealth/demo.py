"""Join tokens for a trial, made without asking anybody; production refuses to make them and to take them."""

import secrets
import time

from telehealth.messages import Role
from telehealth.tokens import JOIN_SECONDS, Grant, Keyring

PEOPLE = {
    "station": (Role.STATION, "ĐD. Hoàng Thị Mai", "Trạm Y tế xã Phú Bình"),
    "doctor": (Role.DOCTOR, "BS. Nguyễn Văn Hùng", "Bệnh viện Trung ương Thái Nguyên"),
    "specialist": (Role.SPECIALIST, "BSCKII. Trần Thu Hà", "Bệnh viện A Thái Nguyên"),
    "interpreter": (Role.INTERPRETER, "Phiên dịch Nông Văn Páo", "Sở Y tế Thái Nguyên"),
    "observer": (Role.OBSERVER, "SV. Lê Minh Anh", "Trường Đại học Y Dược Thái Nguyên"),
    "monitor": (Role.STATION, "Máy theo dõi", "Trạm Y tế xã Phú Bình"),
}
"""Invented people."""


def tokens(keyring: Keyring, consult: str) -> dict[str, str]:
    """A join token for each role, and one for a monitor beside the nurse's page."""
    now = time.time()
    return {
        who: keyring.sign(
            Grant(
                kind="join",
                consult=consult,
                role=role,
                person=f"demo-{who}",
                name=name,
                facility=facility,
                issued=now,
                expires=now + JOIN_SECONDS,
                jti=secrets.token_hex(12),
                demo=True,
            )
        )
        for who, (role, name, facility) in PEOPLE.items()
    }
