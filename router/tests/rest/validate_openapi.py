"""Checks an OpenAPI document, and every example in it against the schema it stands beside."""

import json
import sys

from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

with open(sys.argv[1], encoding="utf-8") as file:
    document = json.load(file)

faults = [f"{list(fault.absolute_path)}: {fault.message}" for fault in OpenAPIV31SpecValidator(document).iter_errors()]
examples = 0


def walk(value, path):
    global examples
    if isinstance(value, dict):
        if "schema" in value and "example" in value:
            examples += 1
            schema = {**value["schema"], "components": document["components"]}
            validator = OAS31Validator(schema, format_checker=OAS31Validator.FORMAT_CHECKER)
            faults.extend(f"{path}/example: {fault.message}" for fault in validator.iter_errors(value["example"]))
        for name, member in value.items():
            if name not in ("example", "schemas"):
                walk(member, f"{path}/{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            walk(item, f"{path}/{index}")


walk(document, "")
print("\n".join(faults) if faults else f"valid, with {examples} examples")
sys.exit(1 if faults else 0)
