"""A workbench for every test of a job."""

from tests.workbench import bench, template

__all__ = ["bench", "template"]
