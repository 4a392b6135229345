"""The field survey: forms, rounds of visits, what officers answered at the door."""
