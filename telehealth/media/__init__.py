"""The forwarding unit: RTP in, the same RTP out to whoever may see it, with no decoding and no encoding.

    peer.py      one participant's peer connection: answers an offer, lines and data channels
    inbound.py   what a participant sends: layers, gaps and retransmission requests, keyframe requests, feedback
    outbound.py  what a participant is shown: one slot, whose source may change at any keyframe
    router.py    who is shown to whom, and what each link carries
    private.py   every private name of aiortc that is used
The rest is pure: rtp, rewrite, gaps, gop, codec, twcc, budget, sendclock, offers, turn.
"""
