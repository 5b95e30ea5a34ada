"""Who works at the desk: accounts, what each role may do, sign-in, the record of who looked at what."""
