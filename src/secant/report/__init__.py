"""Pictures and pages about runs and trainings; they consume histories, never the optimiser."""
