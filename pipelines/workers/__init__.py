"""Workers that take shards: processes of this machine (forked, or started by loky), Dask, Ray."""
