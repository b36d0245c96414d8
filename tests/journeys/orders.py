"""Modules and orders that the journeys share."""

from typing import Any

LEAVES = (
    "A leaf is an organ in which light is turned into chemical energy.",
    "The stroma is the fluid that fills the chloroplast around the thylakoids.",
    "Chlorophyll absorbs mostly red and blue light and reflects green light.",
    "Stomata are small pores through which carbon dioxide enters the leaf.",
    "Water is split at photosystem II, which releases oxygen into the air.",
    "The Calvin cycle fixes carbon dioxide with the help of the enzyme rubisco.",
    "Thylakoids are flattened sacs whose membranes hold the photosystems.",
    "ATP synthase is an enzyme that uses a proton gradient to make ATP.",
    "Glucose is a sugar that stores the energy which the plant has captured.",
    "Guard cells open and close each stoma according to the supply of water.",
    "The cuticle is a waxy layer that keeps the surface from drying out.",
    "Carotenoids are pigments that protect the cell from too much light.",
)
ROOTS = (
    "A taproot is a single thick root that grows straight down into the soil.",
    "Root hairs are thin outgrowths that enlarge the surface for taking up minerals.",
    "Xylem is the tissue that carries water upwards through the stem.",
    "Mycorrhiza is a partnership between fungi and the underground parts of plants.",
    "The endodermis controls which dissolved salts may pass into the centre.",
    "Nodules on clover house bacteria that turn nitrogen into ammonium.",
    "Gravitropism is growth in the direction of the pull of the earth.",
    "The root cap shields the growing tip while it pushes between grains of sand.",
    "Pneumatophores are breathing organs that mangroves raise above the mud.",
    "Carrots keep starch in their storage cells over the cold months.",
    "Lateral branches begin in the pericycle, deep inside the older tissue.",
    "Phosphorus moves so slowly in the ground that it must be searched for.",
)


def module(name: str, *batches: tuple[str, int], text: str | None = None) -> dict[str, Any]:
    """A module with batches given as (question type, count). Roots and Leaves have nothing in common."""
    orders = [{"question_type": question_type, "target_count": count} for question_type, count in batches]
    sentences = ROOTS if name == "Roots" else LEAVES
    return {"name": name, "text": text or " ".join(sentences), "batches": orders}
