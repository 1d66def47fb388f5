"""Proper orthogonal descriptors (POD) of LAMMPS: potentials linear in their coefficients."""
