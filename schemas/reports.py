"""What the operators' commands find out."""

from schemas.base import Frozen


class Finding(Frozen):
    """Something in the database that does not agree with itself."""

    check: str
    subject: str
    message: str


class Verification(Frozen):
    generations: int
    findings: tuple[Finding, ...]


class DiagnosisLine(Frozen):
    subject: str
    is_fine: bool
    message: str


class Diagnosis(Frozen):
    lines: tuple[DiagnosisLine, ...]

    @property
    def is_fine(self) -> bool:
        return all(line.is_fine for line in self.lines)
