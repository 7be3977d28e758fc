"""Eigenvalues of Hessians from products alone: extremes, density, trace."""
