"""What this part of the library needs, looked for before the rest of it is imported."""

from secant.optional_packages import require_packages

require_packages("secant.torch", "torch", "torch")
