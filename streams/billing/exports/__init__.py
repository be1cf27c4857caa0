"""What billing systems read: a coding event in the words of HL7 v2, FHIR and a registry."""
