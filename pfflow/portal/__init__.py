"""What people reach from outside: for now, leaving surveys and digests by one click. FastAPI, nobody else."""
