"""A server that speaks Algorithmia's protocol: algorithms over our own engines, and a data API over a folder or S3."""
