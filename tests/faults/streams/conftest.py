"""The workbench, for what is looked up in a database."""

from tests.workbench import bench, template

__all__ = ["bench", "template"]
