"""What every city service is made of: the contract, its discovery, the way from committed data to own Datastreams.

    committed --Reader--> touched (Datastream, bucket) --when the bucket is over--> compute --> own Datastreams
                                                                                     ^  |
                                                              means of good values --+  +--> write, correct, delete

The services themselves stand in services/domains, one folder each; docs/guides/adding-a-service.md adds one.
"""
