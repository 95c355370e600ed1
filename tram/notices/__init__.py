"""Notifications, pure: who wants to hear what and when, the words in vi and en, signatures and encryption.

docs/notifications.md. The store's part is tram.store.notices, what sends is services.notifications.
"""
