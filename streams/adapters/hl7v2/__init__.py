"""HL7 v2 messages: ORU^R01 and DFT^P03."""
