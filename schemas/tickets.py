"""Tickets that open one event stream for whoever can send no credentials with it."""

from uuid import UUID

from schemas.base import Body, Frozen, Moment


class TicketOrder(Body):
    generation_id: UUID


class Ticket(Frozen):
    ticket: str
    expires_at: Moment
