"""What other systems say, in FHIR and HL7 v2, as our two input events."""
