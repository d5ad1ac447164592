"""Local servers that speak the platforms' wire protocols: bots are tried out against them."""
