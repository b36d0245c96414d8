"""The structured output that is asked for topics, and the way from one raw object of it to a draft."""

from functools import cache
from typing import Annotated

from anthropic import transform_schema
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from jobs.providers import answer_schema
from jobs.providers.base import TopicDraft, Unreadable
from schemas.base import FilledText, Name

NAME_CHARACTERS_MAX = 100


class TopicAnswer(BaseModel):
    """Unknown fields are ignored: they harm nobody."""

    model_config = ConfigDict(frozen=True)

    quote: Annotated[FilledText, StringConstraints(strip_whitespace=True, max_length=1000)] = Field(
        description="copied word for word from where the module begins with the topic"
    )
    name: Annotated[Name, StringConstraints(max_length=NAME_CHARACTERS_MAX)]


class TopicsAnswer(BaseModel):
    topics: list[TopicAnswer]


def parse(raw: str) -> TopicDraft | Unreadable:
    try:
        answer = TopicAnswer.model_validate_json(raw)
    except ValidationError as error:
        return Unreadable(message=answer_schema.reason(error, "topic"))
    return TopicDraft(name=answer.name, quote=answer.quote)


@cache
def schema() -> dict[str, object]:
    """The JSON schema of a whole answer, in the subset that structured outputs understand."""
    return transform_schema(answer_schema.without_noise(TopicsAnswer.model_json_schema()))
