"""Does things; the only room that holds both the client and the models."""
