"""pfflow: a workflow engine for the relationship side of project finance, on Prefect 3."""

__version__ = "0.1.0"
