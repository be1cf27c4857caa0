"""How the tables of a billing database have grown."""
