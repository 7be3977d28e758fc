"""``python -m secant`` is the ``secant`` command."""

from secant.cli import main

if __name__ == "__main__":
    main()
