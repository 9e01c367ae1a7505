"""The stand-alone trainer: pairs in, one safetensors pencil out."""
