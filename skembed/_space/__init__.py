"""Tokens as points: distances, neighbours and questions."""
