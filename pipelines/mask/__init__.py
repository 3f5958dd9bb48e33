"""`maskgen mask`: masks on a folder of photographs."""
