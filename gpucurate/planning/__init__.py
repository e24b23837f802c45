"""Stage specifications to plan. Pure: no device, file or network."""
