"""The API's document: that it is what the code says, and that every example in it is valid."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from tools import api_documents
from tools.local import CHECKOUT

FOLDER = CHECKOUT / "include" / "api"
DOCUMENT: dict[str, Any] = json.loads((FOLDER / "openapi.json").read_text())
METHODS = ("get", "put", "post", "delete", "patch")
OPERATIONS = {
    operation["operationId"]: operation
    for item in DOCUMENT["paths"].values()
    for method, operation in item.items()
    if method in METHODS
}


def errors(schema: dict[str, Any], value: Any) -> list[str]:
    whole = {"$defs": DOCUMENT["components"]["schemas"], **_local(schema)}
    return [error.message for error in Draft202012Validator(_local(whole)).iter_errors(value)]


def _local(schema: Any) -> Any:
    """A schema whose references lead into its own `$defs`."""
    if isinstance(schema, dict):
        return {
            name: value.replace("#/components/schemas/", "#/$defs/") if name == "$ref" else _local(value)
            for name, value in schema.items()
        }
    return [_local(one) for one in schema] if isinstance(schema, list) else schema


def test_the_repositorys_document_is_that_of_the_code() -> None:
    assert api_documents.text_of(api_documents.document()) == (FOLDER / "openapi.json").read_text(), "run make api"
    validate(DOCUMENT)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_example_is_valid(name: str) -> None:
    operation = OPERATIONS[name]
    for parameter in operation.get("parameters", []):
        assert errors(parameter["schema"], parameter["example"]) == [], parameter["name"]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for example in content.get("examples", {}).values():
            assert errors(content["schema"], example["value"]) == []
    for status, response in operation["responses"].items():
        content = response.get("content", {}).get("application/json", {})
        if "example" in content:
            assert errors(content["schema"], content["example"]) == [], status
        elif status.startswith("2") and content:
            assert operation["tags"] == ["Documents"], f"{status} has no example"


def test_the_postman_collection_has_every_operation() -> None:
    collection = json.loads((FOLDER / "postman-collection.json").read_text())
    requests = [item["name"] for folder in collection["item"] for item in _leaves(folder)]
    assert sorted(requests) == sorted(operation["summary"] for operation in OPERATIONS.values())


def _leaves(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [leaf for part in item["item"] for leaf in _leaves(part)] if "item" in item else [item]
