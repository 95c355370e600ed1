"""The live hub: committed values and alarms to WebSockets, never silent. docs/live-protocol.md, docs/adr/0090.

    committed stream, alarm changes, registry -> feed (a thread) -> hub (on the event loop) -> views -> sockets

Pure: messages, position, catalogue, values, alarmlog, view, update, session, mirror. The client knows no server part.
"""
