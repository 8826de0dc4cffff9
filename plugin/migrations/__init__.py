"""The steps that bring a site's database to the shape this version needs."""
