# How GPAW is compiled, read by its setup.py: with MPI (mpich of the same environment), OpenBLAS,
# libxc and FFTW. mpich's own compiler wrapper would do, but for paths that hold a space; and with a
# relative runpath the extension finds its library wherever the environment is.
import sys
from pathlib import Path

environment = Path(sys.prefix)
compiler = "c++"
mpi = True
include_dirs += [str(environment / "include")]  # noqa: F821  setup.py provides the lists
library_dirs += [str(environment / "lib")]  # noqa: F821
libraries = ["openblas", "xc", "fftw3", "mpi"]
extra_link_args += ["-Wl,-rpath,$ORIGIN/../.."]  # noqa: F821  from lib/python3.x/site-packages to lib
fftw = True
