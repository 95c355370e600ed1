"""The routers of the UI's own API: one small file a subject."""
