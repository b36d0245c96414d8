"""A workbench for what lies between the web service and the jobs."""

from tests.workbench import bench, template

__all__ = ["bench", "template"]
