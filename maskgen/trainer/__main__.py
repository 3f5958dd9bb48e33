"""`torchrun -m maskgen.trainer`: the command `maskgen train`, in each of several processes."""

from __future__ import annotations

import sys

from maskgen.pipelines.cli import main

if __name__ == "__main__":
    main(["train", *sys.argv[1:]], prog_name="maskgen")
