# Read by GPAW's setup.py through GPAW_CONFIG: one build for serial runs and for `mpiexec -n N`.
compiler = "mpicxx"
mpi = True
libraries = ["openblas", "xc", "fftw3"]
fftw = True
