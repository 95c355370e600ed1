"""The embedded default: PostgreSQL from a wheel, an MQTT broker, TimescaleDB's extension and a process supervisor.

A real database (TRAM_DATABASE_URL) or broker (TRAM_MQTT_URL) takes the place of either.
"""
