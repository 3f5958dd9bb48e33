"""croissant.json: the set's files and columns in MLCommons' format for metadata, version 1.0."""

from __future__ import annotations

import json
from typing import Any

from maskgen.core.reasons import counted

from .card import Card, Part

_CONTEXT = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/", "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field",
    "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject", "fileSet": "cr:fileSet", "format": "cr:format",
    "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key",
    "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet",
    "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField",
    "transform": "cr:transform",
}  # fmt: skip
_TYPES = {"image": "sc:ImageObject", "int64": "sc:Integer", "string": "sc:Text", "bool": "sc:Boolean"}


def croissant(card: Card) -> bytes:
    """The file's bytes; its paths are relative to the folder of the card."""
    about: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "".join(letter if letter.isalnum() else "_" for letter in card.name),
        "description": f"Face crops of {counted(card.people, 'person')}, with and without drawn masks, "
        "for face recognition.",
        "license": card.licence,
        "rai:personalSensitiveInformation": f"Faces of people. Consent of the people shown: {card.consent}.",
        "rai:dataCollection": f"Photographs, on which maskgen {card.maskgen} drew masks (seed {card.seed}).",
        "distribution": [_set(part) for part in card.parts],
        "recordSet": [_records(part) for part in card.parts],
    }
    return (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode()


def _set(part: Part) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet", "@id": f"files-{part.config}", "name": f"files-{part.config}", "includes": part.files,
        "encodingFormat": "application/x-parquet",
    }  # fmt: skip


def _records(part: Part) -> dict[str, Any]:
    fields = []
    for column in part.columns:
        source: dict[str, Any] = {"fileSet": {"@id": f"files-{part.config}"}, "extract": {"column": column.name}}
        if column.kind == "image":
            source["transform"] = {"jsonPath": "bytes"}
        fields.append(
            {
                "@type": "cr:Field",
                "@id": f"{part.config}/{column.name}",
                "name": column.name,
                "description": column.about,
                "dataType": _TYPES[column.kind],
                "source": source,
            }  # fmt: skip
        )
    return {"@type": "cr:RecordSet", "@id": part.config, "name": part.config, "field": fields}
