"""FHIR R4 resources and Bundles."""
