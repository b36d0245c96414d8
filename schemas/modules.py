"""How the modules that came out of material can be changed before questions are ordered."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from schemas.base import Body
from schemas.orders import Title


class ModuleChange(Body):
    """What is not given stays as it is."""

    name: Title | None = None
    is_left_out: bool | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> "ModuleChange":
        if self.name is None and self.is_left_out is None:
            raise ValueError("give a name, is_left_out, or both")
        return self


class ModuleMerge(Body):
    """Modules to be one, in their order; `name`: that of the first unless another is given."""

    module_ids: Annotated[list[UUID], Field(min_length=2, max_length=500)]
    name: Title | None = None

    @model_validator(mode="after")
    def _names_each_once(self) -> "ModuleMerge":
        if len(set(self.module_ids)) < len(self.module_ids):
            raise ValueError("names a module twice")
        return self
