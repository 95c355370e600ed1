-- Who used a join token: the digest of the client's own word. Whose `welcome` was lost says hello again with the same
-- token and the same word, and gets its seat; whoever else has the token does not.
ALTER TABLE consult_token
    ADD COLUMN nonce bytea,
    ADD COLUMN used  timestamptz NOT NULL DEFAULT now();
