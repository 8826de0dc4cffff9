"""The imitations of Epic and Oracle Health with a way to write: single conditional creates, no transactions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import count
from typing import Any

from tests.servers.ehr import Epic, Oracle, Plain, Resource
from tests.servers.hostile import Hostile, Reply, Request, resource, searchset, status


class Writable(Plain):
    """Creates and deletes one resource at a time; ids are the server's own."""

    def __init__(self, resources: Iterable[Resource] = (), **how: Any) -> None:
        super().__init__(resources, **how)
        self._ids = count(1)
        self.busy = 0
        """So many creations are answered with HTTP 429 first."""

    def __call__(self, request: Request, server: Hostile) -> Reply:
        kind, _, own = request.path.removeprefix("/fhir").removeprefix("/").partition("/")
        if request.method == "POST":
            return self.create(kind, request)
        if request.method == "PUT":
            return status(405)
        if request.method == "DELETE":
            return self.delete(kind, own)
        if kind and not own and "_summary" in request.query:
            total = sum(one["resourceType"] == kind for one in self.resources)
            return resource({"resourceType": "Bundle", "type": "searchset", "total": total})
        if kind and not own and "identifier" in request.query:
            return resource(searchset(*self.identified(kind, request.query["identifier"][0])))
        return super().__call__(request, server)

    def create(self, kind: str, request: Request) -> Reply:
        if self.busy:
            self.busy -= 1
            return status(429, **{"Retry-After": "0"})
        if not kind or kind in self.absent:
            return status(404 if kind else 400)
        there = self.identified(kind, request.headers.get("if-none-exist", "").removeprefix("identifier="))
        if there:
            return status(200, Location=f"/fhir/{kind}/{there[0]['id']}/_history/1")
        made = {**json.loads(request.body), "id": f"srv{next(self._ids)}"}
        self.resources.append(made)
        return status(201, Location=f"/fhir/{kind}/{made['id']}/_history/1")

    def delete(self, kind: str, own: str) -> Reply:
        found = [one for one in self.resources if (one["resourceType"], one["id"]) == (kind, own)]
        for one in found:
            self.resources.remove(one)
        return status(204 if found else 404)

    def identified(self, kind: str, text: str) -> list[Resource]:
        system, _, value = text.partition("|")
        wanted = {"system": system, "value": value}
        return [
            one
            for one in self.resources
            if one["resourceType"] == kind and wanted in one.get("identifier", [])
        ]


class WritableEpic(Writable, Epic):
    """Epic's restrictions, with absolute references and an OperationOutcome in every Bundle."""


class WritableOracle(Writable, Oracle):
    """Oracle Health's restrictions: no ImagingStudy, no BodyStructure, small pages, HTTP 429."""
