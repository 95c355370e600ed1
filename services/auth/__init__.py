"""Who is there, and may they: sessions and tokens to principals, the guard of every endpoint, limits, sign-in."""
