"""How images and objects are shown: what can be set, where it is kept, the panel that sets it."""
