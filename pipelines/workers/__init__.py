"""Workers that take shards: processes of this machine (loky), Dask, Ray."""
