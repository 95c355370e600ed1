"""Notifications: what happens to alarms, told to people, to other systems and to the public. docs/notifications.md.

changes of alarms --plan--> outbox --deliver--> email | webhook | Web Push
                  --public--> CAP documents            (each from its own position,
                  --mqtt----> tram/v1/alarms/{id}       stored with its effects)
"""
