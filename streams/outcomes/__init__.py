"""What came of care: how often scores improved, by how much, and how long it took, with small numbers withheld."""
