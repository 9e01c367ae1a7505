"""Graphite and paper: how load settles on the tooth, the side of the lead, coloured grounds."""
